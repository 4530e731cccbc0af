"""Anthropic: the official client for Claude, with the key of a connection."""

from typing import TYPE_CHECKING, Any

from autokitteh._reference import as_reference
from autokitteh.connections import check_connection_name, missing_package, read_variable, require_variable

if TYPE_CHECKING:
    from anthropic import Anthropic

READS = ("api_key", "base_url")


def anthropic_client(connection: str) -> "Anthropic":
    """Anthropic's client, `anthropic.Anthropic`, for a connection of the project.

    The connection's variable `base_url`, if it has one, is where the API is: a proxy, or a stand-in for tests. The key
    does not expire, so the client can be made at module level.

    Raises ValueError for what is no name of a connection, ConnectionInitError if it has no key, ImportError if
    `anthropic` is not installed.
    """
    check_connection_name(connection)
    try:
        from anthropic import Anthropic
    except ImportError as error:
        raise missing_package("anthropic_client", "anthropic ~= 0.54.0") from error

    key = require_variable(connection, "api_key")
    client = Anthropic(api_key=key, base_url=read_variable(connection, "base_url") or None)
    return as_reference(client, anthropic_client, connection)


def anthropic_pydantic_ai_provider(connection: str, **kwargs: Any) -> Any:
    """Pydantic AI's `AnthropicProvider`, for a connection of the project.

    - `kwargs`: arguments for `AnthropicProvider`.

    `pydantic-ai-slim[anthropic]` has to be in the project's `requirements.txt`, and `opentelemetry-api < 1.44`, which
    the version that goes with `anthropic ~= 0.54.0` imports more of than there is later. `base_url` is as in
    `anthropic_client`.

    Raises ValueError for what is no name of a connection, ConnectionInitError if it has no key, ImportError if the
    package is not installed.
    """
    check_connection_name(connection)
    try:
        from anthropic import AsyncAnthropic
        from pydantic_ai.providers.anthropic import AnthropicProvider  # type: ignore[import-not-found]
    except ImportError as error:
        raise missing_package("anthropic_pydantic_ai_provider", "pydantic-ai-slim[anthropic]") from error

    key = require_variable(connection, "api_key")
    if "anthropic_client" in kwargs:
        return AnthropicProvider(**kwargs)
    if base_url := read_variable(connection, "base_url"):
        # The provider takes no address, but a client that has one.
        client = AsyncAnthropic(api_key=key, base_url=base_url, http_client=kwargs.pop("http_client", None))
        return AnthropicProvider(anthropic_client=client, **kwargs)
    return AnthropicProvider(**{"api_key": key, **kwargs})
