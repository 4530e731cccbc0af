"""The seam between the SDK and whatever runs it: a session's runner, or the in-memory stand-in.

The SDK's public functions check and normalise what they are given, and then call `current()`. Nothing else of the
SDK knows which runtime is there.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

from autokitteh.event import Event, Signal


class Runtime(Protocol):
    """What a session can ask of its surroundings. Time-outs are seconds; None is for ever.

    Data that leaves the session (start, signals, store, outcomes) are JSON values and bytes; anything else is
    refused with TypeError by the runtime before anything happens.
    """

    def start(self, loc: str, data: Mapping[str, Any] | None, memo: Mapping[str, str] | None, project: str) -> str: ...

    def subscribe(self, source: str, filter: str) -> str: ...

    def unsubscribe(self, subscription_id: str) -> None: ...

    def next_event(self, subscription_ids: Sequence[str], timeout: float | None) -> Event | None: ...

    def signal(self, session_id: str, name: str, payload: Any) -> None: ...

    def next_signal(self, names: Sequence[str], timeout: float | None) -> Signal | None: ...

    def outcome(self, value: Any, event_id: str | None) -> None: ...

    def http_outcome(self, reply: Mapping[str, Any], event_id: str | None) -> None: ...

    def mutate_value(self, key: str, op: str, args: Sequence[Any]) -> Any:
        """One atomic operation on a stored value; `op` is one of `autokitteh.store.OPERATIONS`."""
        ...

    def list_values_keys(self) -> list[str]: ...

    def publish_value(self, key: str) -> str: ...

    def unpublish_value(self, key: str) -> None: ...

    def register_no_activity(self, items: Iterable[Any]) -> None: ...

    def refresh_token(self, connection: str, *, force: bool = False) -> Mapping[str, Any]:
        """A connection's access token: {"access_token": ..., "expiry": RFC 3339 or ""}. Never recorded.

        One that the server has and that is still good, or else a new one; `force`: a new one in any case.
        """
        ...

    def sign_jwt(self, connection: str, payload: Mapping[str, Any]) -> str:
        """A JSON Web Token with this payload, signed for a connection (RS256). Never recorded."""
        ...


_installed: Runtime | None = None


def install(runtime: Runtime | None) -> Runtime | None:
    """Make `runtime` the current one, and return the one before; None: a new in-memory stand-in on its first use."""
    global _installed
    before, _installed = _installed, runtime
    return before


def current() -> Runtime:
    """The session's runtime, or outside a session the in-memory stand-in, made on first use."""
    if _installed is None:
        # Imported late: a session never needs the stand-in.
        from autokitteh._memory import MemoryRuntime

        install(MemoryRuntime())
    assert _installed is not None
    return _installed
