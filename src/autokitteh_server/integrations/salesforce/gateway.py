"""Changes of records in Salesforce (Change Data Capture), over long polls that are held open.

Salesforce wants no answers, but keeps what has happened for 72 hours, and sends it again from any place on. So the next
poll begins when what the last one brought is durable: what is lost on the way, or not stored, comes again.
"""

import asyncio
import json
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from autokitteh_server.core.errors import ServerError
from autokitteh_server.integrations.asking import token_of
from autokitteh_server.integrations.backoff import STEADY_S, Backoff, Pause
from autokitteh_server.integrations.gateway import Gateway, GatewayRefused, GatewayState, Listener
from autokitteh_server.integrations.keys import content_key, event_type_of, key_of
from autokitteh_server.integrations.matching import Match, match_of
from autokitteh_server.integrations.webhook import Found, Refused

if TYPE_CHECKING:
    from autokitteh_server.integrations.salesforce.cometd import Client

_log = logging.getLogger(__name__)

_ACTION: Final = {"action": "gateway"}
_CHANNEL: Final = "/data/ChangeEvents"

_AT_ONCE: Final = 100
_LONGEST_DELAY_S: Final = 10.0

#: Transactions that end together may be told of in another order than they were committed in.
_BLUR_MS: Final = 60_000

#: Ids are written with 15 characters, or with three more that only tell how the letters are to be capitalized.
_ID_LENGTH: Final = 15


def token(variables: Mapping[str, str]) -> str:
    """Whose changes they are. What comes depends on what the user may see, and on nothing else.

    Not the access token: that is another one every few hours.
    """
    address = _address(variables)
    who = (address, variables.get("organization_id", ""), variables.get("user_id", ""))
    return " ".join(who) if address and token_of(variables) else ""


async def run(
    variables: Mapping[str, str],
    listener: Listener,
    *,
    pause: Pause = asyncio.sleep,
    steady_s: float = STEADY_S,
) -> None:
    """Poll until cancelled. Raises GatewayRefused.

    - `steady_s`: how long a client has been known to Salesforce once it counts as one that has worked.
    """
    await _Changes(variables, listener, pause=pause, steady_s=steady_s).stay_open()


GATEWAY = Gateway(token=token, run=run, asks_for_tokens=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """How far somebody has come."""

    replay_id: int | None  # of the last event; None: none has come yet
    since_ms: int  # where Salesforce does not know that any more, what was committed before this is known

    def to_text(self) -> str:
        return json.dumps([self.replay_id, self.since_ms])

    @classmethod
    def from_text(cls, text: str) -> "Place | None":
        """None for what is none."""
        try:
            replay_id, since_ms = json.loads(text)
            return cls(replay_id=None if replay_id is None else int(replay_id), since_ms=int(since_ms))
        except (ValueError, TypeError):
            return None


class _Changes:
    def __init__(self, variables: Mapping[str, str], listener: Listener, *, pause: Pause, steady_s: float) -> None:
        self._address = _address(variables)
        self._user_id = variables.get("user_id", "")
        organization_id = variables.get("organization_id", "")
        self._match = (
            match_of(organization_id=organization_id) if organization_id else match_of(instance_url=self._address)
        )
        self._listener = listener
        self._pause = pause
        self._steady_s = steady_s
        self._backoff = Backoff()
        self._is_refused = False  # the last access token was not taken
        self._opened_at: float | None = None
        self._known_before_ms = 0  # while all that is kept is sent: what is older has been delivered

    async def stay_open(self) -> None:
        """One client after the other. Raises GatewayRefused."""
        from autokitteh_server.integrations.salesforce.cometd import Unsuccessful  # is heavy, and needed only here

        while True:
            self._listener.stands(GatewayState.CONNECTING, "connecting to Salesforce")
            self._opened_at = None
            is_forgotten = False
            try:
                await self._one_client()
            except GatewayRefused:
                raise
            except Unsuccessful as error:
                self._is_refused, is_forgotten = error.is_of_token, error.is_of_client
                what = "does not accept the access token" if error.is_of_token else "refuses"
                reason = f"Salesforce {what} ({error.error})"
            except ServerError as error:
                reason = error.message
            except Exception as error:
                # Of a network anything may be expected, and the texts have addresses in them.
                reason = f"Salesforce cannot be reached ({type(error).__name__})"
            if self._was_steady():
                self._backoff.reset()
                if is_forgotten:
                    continue  # as usual after a while: nothing is amiss
            wait_s = self._backoff.next_s()
            self._listener.stands(GatewayState.WAITING, f"{reason}; the next attempt is in {wait_s:.0f} s")
            await self._pause(wait_s)

    async def _one_client(self) -> None:
        """Come as a new client, and deliver what there is until it is lost. Raises."""
        from autokitteh_server.integrations.salesforce.cometd import Client  # as above

        variables = await self._listener.variables(is_refused=self._is_refused)
        async with Client(self._address, token_of(variables)) as client:
            await client.open()
            messages = await self._subscribe(client)
            self._is_refused = False
            self._opened_at = asyncio.get_running_loop().time()
            self._listener.stands(GatewayState.OPEN, "connected to Salesforce")
            while True:
                # If this takes longer than Salesforce waits, it forgets the client, and the next one begins here.
                await self._take(messages)
                if client.pause_s:
                    await self._pause(client.pause_s)
                messages = await client.poll()

    async def _subscribe(self, client: "Client") -> Sequence[Mapping[str, Any]]:
        """Subscribe where the last one has left off; what has come with the answer. Raises."""
        from autokitteh_server.integrations.salesforce.cometd import ALL_KEPT, FROM_NOW, Unsuccessful  # as above

        self._known_before_ms = 0
        place = Place.from_text(self._listener.place)
        if place is None:
            messages = await client.subscribe(_CHANNEL, FROM_NOW)
            if client.opened_at_ms is not None:
                # What happens from now on must come, also if this client is lost before the first event.
                self._listener.keep(Place(replay_id=None, since_ms=client.opened_at_ms).to_text())
            return messages
        if place.replay_id is not None:
            try:
                return await client.subscribe(_CHANNEL, place.replay_id)
            except Unsuccessful as error:
                if not error.is_of_place:
                    raise
            _log.warning("Salesforce does not know the last event any more: all that is kept is read", extra=_ACTION)
        self._known_before_ms = place.since_ms
        return await client.subscribe(_CHANNEL, ALL_KEPT)

    async def _take(self, messages: Sequence[Mapping[str, Any]]) -> None:
        """Deliver what is in messages, in their order, until it is taken."""
        for start in range(0, len(messages), _AT_ONCE):
            # Of those that are known, no place is kept: all that is kept may have to be read again.
            some = [each for each in messages[start : start + _AT_ONCE] if self._is_news(each)]
            found = [each for message in some if (each := self._read(message)) is not None]
            if found:
                await self._deliver(found)
            if (place := _place_after(some)) is not None:
                self._listener.keep(place.to_text())

    async def _deliver(self, found: Sequence[Found]) -> None:
        backoff = Backoff(longest_s=_LONGEST_DELAY_S)
        while True:
            try:
                return await self._listener.deliver(found)
            except Exception as error:
                reason = error.message if isinstance(error, ServerError) else type(error).__name__
                _log.warning("%d events of Salesforce's have to wait: %s", len(found), reason, extra=_ACTION)
            await self._pause(backoff.next_s())

    def _is_news(self, message: Mapping[str, Any]) -> bool:
        committed_at = _committed_at(message)
        return message.get("channel") == _CHANNEL and (committed_at is None or committed_at >= self._known_before_ms)

    def _read(self, message: Mapping[str, Any]) -> Found | None:
        """The event in a message; None if it has none, or one that the user has caused."""
        by = str(_header_of(message).get("commitUser"))
        if self._user_id and by[:_ID_LENGTH] == self._user_id[:_ID_LENGTH]:
            return None
        try:
            return change_of(_object(_object(message, "data"), "payload"), self._match)
        except Refused as error:
            _log.warning("Salesforce sent what cannot be taken: %s", error.message, extra=_ACTION)
            return None

    def _was_steady(self) -> bool:
        return self._opened_at is not None and asyncio.get_running_loop().time() - self._opened_at >= self._steady_s


def change_of(payload: Mapping[str, Any], match: Match) -> Found:
    """A change, as Salesforce tells it. Raises Refused."""
    header = _object(payload, "ChangeEventHeader")
    entity = header.get("entityName")
    event_type = event_type_of(entity.lower() if isinstance(entity, str) else entity)
    # Not by its replay id: those are not unique when Salesforce moves an organization elsewhere. Several changes of one
    # transaction differ by their number; those that tell of gaps all have the same.
    records = header.get("recordIds")
    parts = (header.get("sequenceNumber"), event_type, header.get("changeType"))
    key = (
        key_of(header["transactionKey"], *parts, *(records if isinstance(records, list) else ()))
        if header.get("transactionKey")
        else content_key(payload)
    )
    return Found(event_type=event_type, data=payload, key=key, match=(match,))


def _place_after(messages: Sequence[Mapping[str, Any]]) -> Place | None:
    """Where to go on after messages; None if there are no events among them."""
    for message in reversed(messages):
        replay_id = _object(_object(message, "data"), "event").get("replayId")
        if isinstance(replay_id, int):
            return Place(replay_id=replay_id, since_ms=max(0, (_committed_at(message) or 0) - _BLUR_MS))
    return None


def _committed_at(message: Mapping[str, Any]) -> int | None:
    """When a change was committed, in milliseconds since 1970; None if it does not say so."""
    found = _header_of(message).get("commitTimestamp")
    return found if isinstance(found, int) else None


def _header_of(message: Mapping[str, Any]) -> Mapping[str, Any]:
    return _object(_object(_object(message, "data"), "payload"), "ChangeEventHeader")


def _object(value: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = value.get(name)
    return found if isinstance(found, dict) else {}


def _address(variables: Mapping[str, str]) -> str:
    return (variables.get("base_url", "").strip() or variables.get("instance_url", "").strip()).rstrip("/")
