"""OpenAI: the official client for ChatGPT's models, with the key of a connection."""

from typing import TYPE_CHECKING, Any

from autokitteh._reference import as_reference
from autokitteh.connections import check_connection_name, missing_package, read_variable, require_variable

if TYPE_CHECKING:
    from openai import OpenAI

READS = ("apiKey", "base_url")


def openai_client(connection: str) -> "OpenAI":
    """OpenAI's client, `openai.OpenAI`, for a connection of the project.

    The connection's variable `base_url`, if it has one, is where the API is, its version included: a proxy, or a
    stand-in for tests. The key does not expire, so the client can be made at module level.

    Raises ValueError for what is no name of a connection, ConnectionInitError if it has no key, ImportError if
    `openai` is not installed.
    """
    check_connection_name(connection)
    try:
        from openai import OpenAI
    except ImportError as error:
        raise missing_package("openai_client", "openai ~= 1.57") from error

    key = require_variable(connection, "apiKey")
    client = OpenAI(api_key=key, base_url=read_variable(connection, "base_url") or None)
    return as_reference(client, openai_client, connection)


def openai_pydantic_ai_provider(connection: str, **kwargs: Any) -> Any:
    """Pydantic AI's `OpenAIProvider`, for a connection of the project.

    - `kwargs`: arguments for `OpenAIProvider`.

    `pydantic-ai-slim[openai]` has to be in the project's `requirements.txt`, and `opentelemetry-api < 1.44`, which the
    version that goes with `openai ~= 1.57` imports more of than there is later. `base_url` is as in `openai_client`.

    Raises ValueError for what is no name of a connection, ConnectionInitError if it has no key, ImportError if the
    package is not installed.
    """
    check_connection_name(connection)
    try:
        from pydantic_ai.providers.openai import OpenAIProvider  # type: ignore[import-not-found]
    except ImportError as error:
        raise missing_package("openai_pydantic_ai_provider", "pydantic-ai-slim[openai]") from error

    key = require_variable(connection, "apiKey")
    if "openai_client" in kwargs:
        return OpenAIProvider(**kwargs)
    if base_url := read_variable(connection, "base_url"):
        kwargs.setdefault("base_url", base_url)
    return OpenAIProvider(**{"api_key": key, **kwargs})
