"""The part of the wiring that is about events of services: sent, asked for, and over what is held open."""

from collections.abc import Mapping

from autokitteh_server.accounts.lines import HttpFor, Lines
from autokitteh_server.accounts.refresh import Tokens
from autokitteh_server.api.service_doors import ServiceDoors
from autokitteh_server.core.clock import system_slug
from autokitteh_server.core.instruments import Instruments
from autokitteh_server.dispatch.intake import Intake
from autokitteh_server.secretbox.box import Box
from autokitteh_server.sources.deliveries import Deliveries
from autokitteh_server.sources.feeding import Feeding
from autokitteh_server.sources.feeds import Feeds
from autokitteh_server.sources.gateways import Gateways
from autokitteh_server.sources.known import Known
from autokitteh_server.sources.messages import Messages
from autokitteh_server.sources.public_keys import PublicKeys
from autokitteh_server.wiring import Server

#: No other server may have the database open, so what is held open was held by this one.
_HOLDER = "server"


class ServiceEvents:
    """All that brings events of services."""

    def __init__(
        self,
        server: Server,
        *,
        box: Box,
        intake: Intake,
        tokens: Tokens,
        http_for: HttpFor,
        environ: Mapping[str, str],
        instruments: Instruments,
    ) -> None:
        """`environ`: where the secrets of the server's own apps are. Nothing is started."""
        database, clock, http = server.database, server.clock, server.settings.http
        lines = Lines(database=database, box=box, tokens=tokens, http_for=http_for)
        self.feeding = Feeding(
            database=database,
            lines=lines,
            intake=intake,
            clock=clock,
            new_id=server.new_id,
            new_slug=system_slug,
            environ=environ,
            public_url=http.service_url,
            variables_changed=lambda: self._known.changed(),
        )
        self.feeds = Feeds(database, clock, self.feeding)
        self.gateways = Gateways(database, lines, intake, clock, server.new_id, holder=_HOLDER)
        self._messages = Messages(http_for("", ""))
        self._known = Known(database, box, clock)
        self.doors = ServiceDoors(
            Deliveries(
                database=database,
                box=box,
                clock=clock,
                new_id=server.new_id,
                environ=environ,
                keys=PublicKeys(http_for("", ""), clock),
                known=self._known,
                feeds_changed=self.feeds.changed,
            ),
            clock,
            public_url=http.service_url,
            max_body_bytes=http.service_body_bytes,
            submit=intake.submit,
            send_message=self._messages.send,
            instruments=instruments,
        )

    def open(self) -> None:
        """Begin to ask services, and to hold connections open."""
        self.feeds.open()
        self.gateways.open()

    def close(self) -> None:
        """Do it no more."""
        self.gateways.close()
        self.feeds.close()
        self._messages.close()

    def changed(self) -> None:
        """Look again: connections, their variables, triggers or deployments have changed. Any thread."""
        self._known.changed()
        self.feeds.changed()
        self.gateways.changed()
