"""What services send by themselves: from a request to the events of connections, stored before the service is answered.

Which of the many connections a request is for, and with whose secret it is signed, is looked up here; all else about
it is the integration's (`integrations/webhook.py`).
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from autokitteh_server.accounts import keeping
from autokitteh_server.core.clock import Clock
from autokitteh_server.core.ids import IdSource
from autokitteh_server.dispatch.incoming import Incoming
from autokitteh_server.integrations.matching import with_id
from autokitteh_server.integrations.webhook import (
    Found,
    Greeting,
    Look,
    Message,
    Refused,
    Reply,
    Request,
    Secret,
    Webhook,
    receive,
    recipients,
)
from autokitteh_server.secretbox.box import Box
from autokitteh_server.sources.known import Known, Owners
from autokitteh_server.sources.public_keys import PublicKeys
from autokitteh_server.storage import connections, feeds
from autokitteh_server.storage.connection import Connection
from autokitteh_server.storage.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Understood:
    """What a request is about. The reply is good once all else is done without an error."""

    reply: Reply
    incoming: Sequence[Incoming] = ()  # to be submitted to the intake
    store: Callable[[], None] | None = None  # what else is to be stored, which may wait for the database
    messages: Sequence[Message] = ()  # to be sent after the reply


@dataclass(frozen=True, slots=True, kw_only=True)
class Ready:
    """What has to be known to understand an integration's requests. Its repr has nothing secret."""

    owners: Owners
    keys: Mapping[str, str]  # the service's public keys, by id


@dataclass(frozen=True, slots=True, kw_only=True)
class Deliveries:
    """Threads may share it."""

    database: Database
    box: Box
    clock: Clock
    new_id: IdSource
    environ: Mapping[str, str]  # where secrets of the server's own apps are
    keys: PublicKeys
    known: Known
    feeds_changed: Callable[[], None]  # to be called once a look that was asked for is durable

    def find_ready(self, name: str, webhook: Webhook) -> Ready | None:
        """What `prepare` gives, if all of it is there already. Waits for nobody."""
        owners = self.known.find((name, *webhook.also_for))
        keys = self.keys.find(webhook.keys_url) if webhook.keys_url else {}
        return None if owners is None or keys is None else Ready(owners=owners, keys=keys)

    def prepare(self, name: str, webhook: Webhook) -> Ready:
        """Have it there. Waits for the database, and perhaps for a service's keys. Raises StorageUnavailable."""
        owners = self.known.of((name, *webhook.also_for))
        return Ready(owners=owners, keys=self.keys.get(webhook.keys_url) if webhook.keys_url else {})

    def understand(self, webhook: Webhook, request: Request, ready: Ready) -> Understood:
        """What a request to an integration is about. Waits for nobody.

        Raises Refused for one that is not a service's. `store` raises that, too, and StorageUnavailable.
        """
        owners = ready.owners
        received = receive(webhook, request, self._secrets(webhook, ready, request), request.received_at / 1e6)

        def recipients_of(found: Found | Look) -> Sequence[str]:
            return recipients(webhook, request, found, received.proof, owners)

        incoming = [
            incoming_of(self.new_id, owner, event, received_at=request.received_at)
            for event in received.events
            for owner in recipients_of(event)
        ]
        told = {owner for look in received.looks if look.must_tell for owner in recipients_of(look)}
        asked = {owner for look in received.looks for owner in recipients_of(look)} - told
        store = None
        if received.greeting is not None:
            store = self._greet(received.greeting, owners)
        elif told or asked:
            store = partial(self._look, asked, told)
        return Understood(reply=received.reply, incoming=incoming, store=store, messages=received.messages)

    def _secrets(self, webhook: Webhook, ready: Ready, request: Request) -> list[Secret]:
        """All that a request may be signed with."""
        found = [
            Secret(name=name, value=value) for name in webhook.server_secrets if (value := self.environ.get(name, ""))
        ]
        found += [Secret(name=key_id, value=key) for key_id, key in ready.keys.items()]
        wanted = webhook.variables_for(request)
        if not wanted:
            return found
        whose = webhook.whose(request)
        for owner, values in ready.owners.items():
            if whose is None or whose.holds(with_id(values, owner)):
                found += [Secret(name=name, value=values[name], owner=owner) for name in wanted if values.get(name)]
        return found

    def _greet(self, greeting: Greeting, owners: Owners) -> Callable[[], None] | None:
        """What stores the secret that a service has told, for the connections that it is for; None if it told none.

        Raises Refused.
        """
        found = [owner for owner, values in owners.items() if greeting.match.holds(with_id(values, owner))]
        if not found:
            raise Refused(404, "there is no such connection")
        # Where nothing is to be kept, strangers do not make us write.
        return partial(self._keep, greeting.variables, found) if greeting.variables else None

    def _keep(self, given: Mapping[str, str], owners: Collection[str]) -> None:
        now = self.clock.now_us()

        def write(conn: Connection) -> None:
            for owner in (each.id for each in connections.of_ids(conn, owners)):  # one may be gone by now
                # Again, where nobody comes in between: whoever is second would replace the secret of the first.
                present = keeping.load(conn, self.box, owner).values
                if any(present.get(name) for name in given):
                    raise Refused(403, "there is a secret already")
                keeping.save(conn, self.box, owner, given, now=now, secret=frozenset(given))

        self.database.write(write)
        self.known.changed()

    def _look(self, asked: Collection[str], told: Collection[str]) -> None:
        """Have connections ask their service what is new, and others tell it anew where to send that."""

        def write(conn: Connection) -> None:
            now = self.clock.now_us()
            feeds.hurry(conn, asked, now)
            feeds.renew(conn, told, now)

        self.database.write(write)
        self.feeds_changed()


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
