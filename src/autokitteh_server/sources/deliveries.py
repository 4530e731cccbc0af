"""What services send by themselves: from a request to the events of connections, stored before the service is answered.

Which of the many connections a request is for, and with whose secret it is signed, is looked up here; all else about
it is the integration's (`integrations/webhook.py`).
"""

import logging
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from autokitteh_server.accounts import keeping
from autokitteh_server.core.clock import Clock
from autokitteh_server.core.entities import Var
from autokitteh_server.core.ids import IdSource
from autokitteh_server.dispatch.incoming import Dispatched, Incoming
from autokitteh_server.dispatch.intake import Intake
from autokitteh_server.integrations.matching import CONNECTION_ID, Match
from autokitteh_server.integrations.webhook import (
    Found,
    Greeting,
    Look,
    Message,
    Received,
    Refused,
    Reply,
    Request,
    Secret,
    Webhook,
    receive,
    recipients,
)
from autokitteh_server.secretbox.box import Box, CannotOpen
from autokitteh_server.sources.public_keys import PublicKeys
from autokitteh_server.storage import connections, feeds, variables
from autokitteh_server.storage.connection import Connection
from autokitteh_server.storage.database import Database

_log = logging.getLogger(__name__)

#: Variables of connections, by their ids.
_Variables = dict[str, dict[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A request that was understood. The reply is good once all of `pending` are done without an error."""

    reply: Reply
    pending: Sequence["Future[Dispatched]"] = ()
    messages: Sequence[Message] = ()  # to be sent after the reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliveries:
    """Threads may share it."""

    database: Database
    box: Box
    intake: Intake
    clock: Clock
    new_id: IdSource
    environ: Mapping[str, str]  # where secrets of the server's own apps are
    keys: PublicKeys
    feeds_changed: Callable[[], None]  # to be called once a look that was asked for is durable

    def take(self, name: str, webhook: Webhook, request: Request) -> Taken:
        """Understand a request to the integration of this name, and hand its events on. May wait for the database.

        Raises Refused for one that is not a service's, StorageUnavailable, and FailedPrecondition while the server
        stops.
        """
        integrations = (name, *webhook.also_for)
        received = receive(webhook, request, self._secrets(webhook, integrations, request), request.received_at / 1e6)
        if received.greeting is not None:
            self._keep(received.greeting, integrations)
        if received.looks:
            self._look(webhook, integrations, request, received)
        pending = self._submit(webhook, integrations, request, received) if received.events else ()
        return Taken(reply=received.reply, pending=pending, messages=received.messages)

    def _secrets(self, webhook: Webhook, integrations: Collection[str], request: Request) -> list[Secret]:
        """All that a request may be signed with."""
        found = [
            Secret(name=name, value=value) for name in webhook.server_secrets if (value := self.environ.get(name, ""))
        ]
        if webhook.keys_url:
            found += [Secret(name=key_id, value=key) for key_id, key in self.keys.get(webhook.keys_url).items()]
        wanted = webhook.variables_for(request)
        if not wanted:
            return found
        whose = webhook.whose(request)
        names = {*wanted, *_names_in([whose] if whose else [])}
        for owner, values in self.database.read(lambda conn: self._load(conn, integrations, names)).items():
            if whose is None or whose.holds({**values, CONNECTION_ID: owner}):
                found += [Secret(name=name, value=values[name], owner=owner) for name in wanted if values.get(name)]
        return found

    def _keep(self, greeting: Greeting, integrations: Collection[str]) -> None:
        """Store the secret that a service has told, for the connection that it is for. Raises Refused."""
        names = {*greeting.variables, *_names_in([greeting.match])}

        def write(conn: Connection) -> bool:
            is_known = False
            for owner, values in self._load(conn, integrations, names).items():
                if greeting.match.holds({**values, CONNECTION_ID: owner}):
                    # Again, where nobody comes in between: whoever is second would replace the secret of the first.
                    if any(values.get(name) for name in greeting.variables):
                        raise Refused(403, "there is a secret already")
                    now = self.clock.now_us()
                    keeping.save(
                        conn, self.box, owner, greeting.variables, now=now, secret=frozenset(greeting.variables)
                    )
                    is_known = True
            return is_known

        if not self.database.write(write):
            raise Refused(404, "there is no such connection")

    def _look(self, webhook: Webhook, integrations: Collection[str], request: Request, received: Received) -> None:
        """Have connections ask their service what is new."""
        wanted = self._recipients(webhook, integrations, request, received.looks, received.proof)
        ids = {owner for _, owner in wanted}
        if ids:
            self.database.write(lambda conn: feeds.hurry(conn, ids, self.clock.now_us()))
            self.feeds_changed()

    def _submit(
        self, webhook: Webhook, integrations: Collection[str], request: Request, received: Received
    ) -> list["Future[Dispatched]"]:
        found = self._recipients(webhook, integrations, request, received.events, received.proof)
        return [
            self.intake.submit(incoming_of(self.new_id, owner, event, received_at=request.received_at))
            for event, owner in found
            if isinstance(event, Found)
        ]

    def _recipients(
        self,
        webhook: Webhook,
        integrations: Collection[str],
        request: Request,
        found: Sequence[Found] | Sequence[Look],
        proof: Sequence[Secret],
    ) -> list[tuple[Found | Look, str]]:
        """What is for which connection, in the order of what has come in."""
        names = {*webhook.variables_for(request), *_names_in(_matches_of(found))}
        known = self.database.read(lambda conn: self._load(conn, integrations, names))
        return [(each, owner) for each in found for owner in recipients(webhook, request, each, proof, known)]

    def _load(self, conn: Connection, integrations: Collection[str], names: Collection[str]) -> _Variables:
        return load_deployed(conn, self.box, integrations, names)


def load_deployed(conn: Connection, box: Box, integrations: Collection[str], names: Collection[str]) -> _Variables:
    """Variables of these names of all connections whose projects are deployed, by the connections' ids.

    Secrets that cannot be opened are left out: one connection's must not keep others from their events.
    """
    found: _Variables = {each.id: {} for each in connections.deployed(conn, integrations)}
    for var in variables.named(conn, found.keys(), names):
        try:
            found[var.owner_id][var.name] = _value(var, box)
        except CannotOpen as error:
            _log.error("%s", error)
    return found


def incoming_of(new_id: IdSource, connection_id: str, event: Found, *, received_at: int) -> Incoming:
    """An event of a service, for a connection."""
    return Incoming(
        kind="connection",
        event_id=new_id("evt"),
        source_id=connection_id,
        event_type=event.event_type,
        data=event.data,
        key=event.key,
        received_at=received_at,
    )


def _value(var: Var, box: Box) -> str:
    return box.open(var.value, owner_id=var.owner_id, name=var.name) if var.is_secret else var.value


def _matches_of(found: Sequence[Found] | Sequence[Look]) -> list[Match]:
    matches = [match for each in found for match in each.match]
    return matches + [each.not_from for each in found if isinstance(each, Found) and each.not_from is not None]


def _names_in(matches: Sequence[Match]) -> set[str]:
    return {name for match in matches for name in (*match.values, *match.present)} - {CONNECTION_ID}
