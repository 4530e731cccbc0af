"""What a session is told: events and signals."""

from collections.abc import Iterator, Mapping
from typing import Any

from autokitteh.attr_dict import AttrDict

_FIELDS = ("data", "event_id", "event_type", "session_id")


class Event(Mapping[str, Any]):
    """What a handler gets, and what `next_event(..., full=True)` returns.

    - `data`: what happened, as an AttrDict; never None. Its shape depends on the source.
    - `event_id`, `event_type`: strings; None where the session was started by hand or by `start`.
    - `session_id`: the session that got the event; None outside a session.

    An event can be read as a mapping too. Its keys are the four fields; a key that is no field is looked up in
    `data`, so `event["login"]` is `event.data["login"]`, and `"login" in event` says whether it is there.

    Raises TypeError if `data` is no mapping.
    """

    __slots__ = _FIELDS

    def __init__(
        self,
        data: Mapping[str, Any] | None = None,
        event_id: str | None = None,
        event_type: str | None = None,
        session_id: str | None = None,
    ) -> None:
        if not isinstance(data, Mapping | None):
            raise TypeError(f"the data of an event must be a dict, not {type(data).__name__}")
        self.data = data if isinstance(data, AttrDict) else AttrDict(data or {})
        self.event_id = event_id
        self.event_type = event_type
        self.session_id = session_id

    def __getitem__(self, key: str) -> Any:
        return getattr(self, key) if key in _FIELDS else self.data[key]

    def __iter__(self) -> Iterator[str]:
        return iter(_FIELDS)

    def __len__(self) -> int:
        return len(_FIELDS)

    def __getattr__(self, name: str) -> Any:
        # Reached for missing names only. It must not read `data`, which is not there yet while a pickle is loaded.
        raise AttributeError(f"an event has no attribute {name!r}; what it carries is in event.data")

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Event):
            return NotImplemented
        return all(getattr(self, field) == getattr(other, field) for field in _FIELDS)

    # Data can change, so there is no hash that stays true.
    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Event({', '.join(f'{field}={getattr(self, field)!r}' for field in _FIELDS)})"


class EventData(AttrDict):
    """The data of an event that `next_event` returned. Its attribute `data` is itself, unless it has such a key.

    Programs read what `next_event` returned both as `received.body` and as `received.data.body`, as if it were the
    event; both are right.
    """

    __slots__ = ()

    def __getattr__(self, name: str) -> Any:
        if name == "data" and "data" not in self:
            return self
        return super().__getattr__(name)


class Signal:
    """What `next_signal` returns: a `name`, and a `payload` that is a JSON value (dicts as AttrDict) or bytes."""

    __slots__ = ("name", "payload")
    __match_args__ = ("name", "payload")

    def __init__(self, name: str, payload: Any = None) -> None:
        self.name = name
        self.payload = AttrDict(payload) if type(payload) is dict else payload

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Signal):
            return NotImplemented
        return self.name == other.name and bool(self.payload == other.payload)

    # A payload can change, so there is no hash that stays true.
    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return f"Signal(name={self.name!r}, payload={self.payload!r})"
