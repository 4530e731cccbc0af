"""A session in memory: what the SDK's functions work on outside a session, and in users' own tests."""

import copy
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, TypeVar
from urllib.parse import quote

from autokitteh._jsonable import check_json
from autokitteh.errors import AutoKittehError
from autokitteh.event import Event, Signal

T = TypeVar("T")


class VirtualClock:
    """Time that passes when it is told to. It starts at `start` seconds."""

    def __init__(self, start: float = 0.0) -> None:
        self._now = float(start)

    def now(self) -> float:
        """Seconds; only differences mean something, unless `start` was the time of day."""
        return self._now

    def sleep(self, seconds: float) -> None:
        """Let this time pass, at once. Raises ValueError if it is negative."""
        if seconds < 0:
            raise ValueError(f"cannot sleep {seconds:g} s; time does not run backwards")
        self._now += seconds


@dataclass(frozen=True, slots=True)
class Started:
    """What `autokitteh.start` was called with, and the id it returned."""

    session_id: str
    loc: str
    data: dict[str, Any] | None = None
    memo: dict[str, str] | None = None
    project: str = ""


@dataclass(frozen=True, slots=True)
class SentSignal:
    """What `autokitteh.signal` was called with."""

    session_id: str
    name: str
    payload: Any = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What `autokitteh.outcome` was called with."""

    value: Any
    event_id: str | None = None


@dataclass(frozen=True, slots=True)
class HttpOutcome:
    """What `autokitteh.http_outcome` was called with. `body` and `json` are None where they were not given."""

    status_code: int = 200
    body: str | bytes | None = None
    json: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    more: bool = False
    event_id: str | None = None


@dataclass(frozen=True, slots=True)
class _Arrival:
    """An event or signal on its way: where it goes, and when. Those of one time arrive in order of `number`."""

    due: float
    number: int
    target: str  # an event's source, a signal's name
    content: Event | Signal


@dataclass(slots=True)
class _Subscription:
    source: str
    filter: str
    queue: list[_Arrival] = field(default_factory=list)


class MemoryRuntime:
    """A session's surroundings in memory, with a virtual clock. Not for use by several threads at once.

    What the code did can be read back: `started`, `signals_sent`, `outcomes`, `http_outcomes`, `values` (the stored
    values by key), `published` (keys), and `no_activity` (what was registered). Ids count up: "ses_1", "sub_1".

    What is to happen is said before: `send_event` and `send_signal`. Departing from a real session, an event that no
    subscription takes is kept for the next one that does, so that a test can send first and then call the code.

    Fresh access tokens and signatures come from a server, which is not here: put those that a connection is to get, one
    a renewal, into `tokens`: `runtime.tokens["conn"] = [("token", "2030-01-01T00:00:00Z")]`, the last one for all that
    follow; and let `sign` be a function of a connection and a payload.

    Filters are ignored, for the SDK has no CEL: give `match`, which gets the filter's text and the event, and says
    whether they match; it is not asked for empty filters.
    """

    def __init__(
        self,
        *,
        session_id: str = "ses_0",
        clock: VirtualClock | None = None,
        match: Callable[[str, Event], bool] | None = None,
    ) -> None:
        self.session_id = session_id
        self.clock = clock or VirtualClock()
        self.started: list[Started] = []
        self.signals_sent: list[SentSignal] = []
        self.outcomes: list[Outcome] = []
        self.http_outcomes: list[HttpOutcome] = []
        self.values: dict[str, Any] = {}
        self.published: set[str] = set()
        self.no_activity: list[Any] = []
        self.tokens: dict[str, list[tuple[str, str]]] = {}
        self.sign: Callable[[str, Mapping[str, Any]], str] | None = None
        self._match = match
        self._numbers = count(1)
        self._on_the_way: list[_Arrival] = []
        self._unclaimed: list[_Arrival] = []  # events that no subscription took yet
        self._signals: list[_Arrival] = []
        self._subscriptions: dict[str, _Subscription] = {}
        self._subscription_numbers = count(1)

    # What a test says is to happen.

    def send_event(
        self, source: str, data: Mapping[str, Any] | None = None, event_type: str | None = None, *, after: float = 0.0
    ) -> str:
        """Let an event arrive `after` so many seconds of virtual time, and return its id.

        Raises TypeError if the data is not JSON.
        """
        number = next(self._numbers)
        event = Event(check_json(dict(data or {}), "data"), f"evt_{number}", event_type, self.session_id)
        self._on_the_way.append(_Arrival(self.clock.now() + after, number, source, event))
        return f"evt_{number}"

    def send_signal(self, name: str, payload: Any = None, *, after: float = 0.0) -> None:
        """Let a signal arrive `after` so many seconds of virtual time.

        The end of a child is one as well: `send_signal(child_id, {"completed": True, "value": 7})`.

        Raises TypeError if the payload is not JSON.
        """
        signal = Signal(name, check_json(payload, "payload"))
        self._on_the_way.append(_Arrival(self.clock.now() + after, next(self._numbers), name, signal))

    # What the SDK asks for: the Runtime protocol.

    def start(self, loc: str, data: Mapping[str, Any] | None, memo: Mapping[str, str] | None, project: str) -> str:
        session_id = f"ses_{len(self.started) + 1}"
        payload = None if data is None else check_json(dict(data), "data")
        self.started.append(Started(session_id, loc, payload, None if memo is None else dict(memo), project))
        return session_id

    def subscribe(self, source: str, filter: str) -> str:
        # First what has arrived goes to the subscriptions that were there when it did.
        self._receive()
        subscription_id = f"sub_{next(self._subscription_numbers)}"
        self._subscriptions[subscription_id] = _Subscription(source, filter)
        unclaimed, self._unclaimed = self._unclaimed, []
        for arrival in unclaimed:
            self._deliver(arrival)
        return subscription_id

    def unsubscribe(self, subscription_id: str) -> None:
        self._receive()
        self._subscriptions.pop(subscription_id, None)

    def next_event(self, subscription_ids: Sequence[str], timeout: float | None) -> Event | None:
        for subscription_id in subscription_ids:
            if subscription_id not in self._subscriptions:
                raise AutoKittehError(f"there is no subscription {subscription_id!r}; is it what subscribe returned?")
        queues = [self._subscriptions[subscription_id].queue for subscription_id in subscription_ids]

        def earliest() -> Event | None:
            queue = min((queue for queue in queues if queue), key=lambda queue: _order(queue[0]), default=None)
            event = queue.pop(0).content if queue else None
            # Another subscription may have the same event: each gets its own copy, as if each had read it.
            return copy.deepcopy(event) if isinstance(event, Event) else None

        return self._wait(earliest, timeout, "next_event", 'send one first: runtime.send_event("source", {...})')

    def signal(self, session_id: str, name: str, payload: Any) -> None:
        sent = SentSignal(session_id, name, check_json(payload, "payload"))
        self.signals_sent.append(sent)
        if session_id == self.session_id:
            self.send_signal(name, sent.payload)

    def next_signal(self, names: Sequence[str], timeout: float | None) -> Signal | None:
        def earliest() -> Signal | None:
            for arrival in self._signals:
                if arrival.target in names and isinstance(arrival.content, Signal):
                    self._signals.remove(arrival)
                    return arrival.content
            return None

        return self._wait(earliest, timeout, "next_signal", 'send one first: runtime.send_signal("name", ...)')

    def outcome(self, value: Any, event_id: str | None) -> None:
        self.outcomes.append(Outcome(check_json(value, "value"), event_id))

    def http_outcome(self, reply: Mapping[str, Any], event_id: str | None) -> None:
        checked = {part: check_json(value, part) for part, value in reply.items()}
        self.http_outcomes.append(HttpOutcome(**checked, event_id=event_id))

    def mutate_value(self, key: str, op: str, args: Sequence[Any]) -> Any:
        checked = [check_json(argument, "value") for argument in args]
        # A copy: what the code does with it afterwards is not stored.
        present = copy.deepcopy(self.values.get(key))
        match op, checked:
            case "get", []:
                return present
            case "set", [value]:
                self.values[key] = value
                return None
            case "del", []:
                self.values.pop(key, None)
                return None
            case "add", [number]:
                self.values[key] = total = check_json(_sum(key, present, number), "the sum")
                return total
            case "check_and_set", [expected, new]:
                if present == expected:
                    self.values[key] = new
                return present == expected
        raise ValueError(f"there is no operation {op!r} with {len(checked)} arguments; see autokitteh.store.OPERATIONS")

    def list_values_keys(self) -> list[str]:
        return sorted(self.values)

    def publish_value(self, key: str) -> str:
        self.published.add(key)
        return f"memory:///{quote(key, safe='')}"

    def unpublish_value(self, key: str) -> None:
        self.published.discard(key)

    def register_no_activity(self, items: Iterable[Any]) -> None:
        self.no_activity.extend(items)

    def refresh_token(self, connection: str, *, force: bool = False) -> dict[str, Any]:
        tokens = self.tokens.get(connection)
        if not tokens:
            raise AutoKittehError(
                f"a fresh token of {connection!r} comes from the server, and this is no session; in a test give one: "
                f'runtime.tokens[{connection!r}] = [("token", "")]'
            )
        token, expiry = tokens.pop(0) if len(tokens) > 1 else tokens[0]
        return {"access_token": token, "expiry": expiry}

    def sign_jwt(self, connection: str, payload: Mapping[str, Any]) -> str:
        if self.sign is None:
            raise AutoKittehError(
                f"the server signs for {connection!r}, and this is no session; in a test let runtime.sign do it"
            )
        return self.sign(connection, payload)

    # How time passes.

    def _wait(self, poll: Callable[[], T | None], timeout: float | None, call: str, remedy: str) -> T | None:
        """What `poll` finds now, or after a jump of the clock; None if the time-out comes first."""
        deadline = None if timeout is None else self.clock.now() + timeout
        while True:
            self._receive()
            found = poll()
            if found is not None:
                return found
            due = min((arrival.due for arrival in self._on_the_way), default=None)
            if deadline is not None and (due is None or due > deadline):
                self._jump_to(deadline)
                return None
            if due is None:
                raise AutoKittehError(f"{call} would wait for ever, as nothing more is to arrive; {remedy}")
            self._jump_to(due)

    def _jump_to(self, moment: float) -> None:
        self.clock.sleep(max(0.0, moment - self.clock.now()))

    def _receive(self) -> None:
        """Take in what has arrived by now, in order."""
        now = self.clock.now()
        arrived = sorted((arrival for arrival in self._on_the_way if arrival.due <= now), key=_order)
        self._on_the_way = [arrival for arrival in self._on_the_way if arrival.due > now]
        for arrival in arrived:
            self._deliver(arrival)

    def _deliver(self, arrival: _Arrival) -> None:
        if isinstance(arrival.content, Signal):
            self._signals.append(arrival)
            return
        takers = [
            taker for taker in self._subscriptions.values() if self._takes(taker, arrival.target, arrival.content)
        ]
        for taker in takers:
            taker.queue.append(arrival)
        if not takers:
            self._unclaimed.append(arrival)

    def _takes(self, subscription: _Subscription, source: str, event: Event) -> bool:
        if subscription.source != source:
            return False
        return not subscription.filter or self._match is None or self._match(subscription.filter, event)


def _order(arrival: _Arrival) -> tuple[float, int]:
    return arrival.due, arrival.number


def _sum(key: str, present: Any, number: int | float) -> int | float:
    if present is None:
        return number
    if isinstance(present, int | float) and not isinstance(present, bool):
        return present + number
    raise TypeError(f"nothing can be added to the value of {key!r}, which is {type(present).__name__}; set it first")
