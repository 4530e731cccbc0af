"""All of what `ak up` starts, and in which order."""

import logging
from collections.abc import Mapping
from importlib import metadata
from typing import Self

from autokitteh_server.accounts.accounts import open_accounts
from autokitteh_server.accounts.lines import HttpFor
from autokitteh_server.accounts.refresh import FindIntegration, Mark
from autokitteh_server.api.ingress import Ingress
from autokitteh_server.api.oauth_pages import OAuthPages
from autokitteh_server.config import Settings
from autokitteh_server.config_load import where_given
from autokitteh_server.core.background import Background
from autokitteh_server.core.clock import Clock, system_slug
from autokitteh_server.core.errors import ServerError
from autokitteh_server.dispatch.intake import Intake
from autokitteh_server.engine.surroundings import Listener
from autokitteh_server.integrations.http import ServiceHttp
from autokitteh_server.integrations.spec import Code, Http
from autokitteh_server.operations import connecting, deployments, environments
from autokitteh_server.operations.oauth import SessionCredentials
from autokitteh_server.operations.published import load_published
from autokitteh_server.operations.retention import RetentionPolicy, Sweeper
from autokitteh_server.operations.secrets import keep_new_key
from autokitteh_server.operations.services import Services
from autokitteh_server.operations.variables import find_unopenable
from autokitteh_server.secretbox.keyring import open_keyring
from autokitteh_server.secretbox.keys import KEY_FILE
from autokitteh_server.sources.cron import Cron
from autokitteh_server.sources.replies import Replies
from autokitteh_server.sources.session_ends import SessionEnds
from autokitteh_server.storage.data_folder import make_folder
from autokitteh_server.telemetry.metrics import Metrics
from autokitteh_server.wiring import Server
from autokitteh_server.wiring_services import ServiceEvents

_log = logging.getLogger(__name__)

#: So many projects have their processes ready when the server has started.
_WARMED_UP = 8


class Application:
    """A server with everything that `ak up` starts: the engine, events, schedules, and what the API offers."""

    def __init__(
        self,
        settings: Settings,
        *,
        environ: Mapping[str, str],
        clock: Clock | None = None,
        listener: Listener | None = None,
        find_integration: FindIntegration = connecting.form_of,
        mark: Mark | None = None,
        http_for: HttpFor | None = None,
    ) -> None:
        """Open everything, and start nothing.

        `find_integration`: what is known of each, by its name. `mark` notes how connections stand, in place of the
        database. `http_for`: another way to services than over the network. Raises what `Server`, `open_keyring` and
        `keep_new_key` raise.
        """
        make_folder(settings.data_dir)
        keyring = open_keyring(
            settings.data_dir / KEY_FILE,
            settings.secret_key,
            given_where=where_given(environ),
            given_file=settings.secret_key_file,
        )
        self.settings = settings
        self._http_for = http_for or self._over_network
        self.replies = Replies()
        self.metrics = Metrics(metadata.version("autokitteh"), lambda: self.server.count())
        self.server = Server(
            settings,
            environ=environ,
            clock=clock,
            listener=listener,
            outcomes=self.replies,
            credentials=SessionCredentials(lambda: self.server.database, lambda: self.accounts),
            session_events=SessionEnds(lambda: self.server.new_id, lambda: self.intake),
            opener=keyring.box,
            public_url=settings.http.public_url,
            keeps_spare=True,
            instruments=self.metrics,
        )
        server = self.server
        try:
            keep_new_key(server.database, keyring)
        except BaseException:
            server.close()
            raise
        self.intake = Intake(server.database, server.new_id, server.scheduler, instruments=self.metrics)
        self.cron = Cron(server.database, server.clock, server.new_id, self.intake)
        self.sweeper = Sweeper(
            server.database,
            server.folders,
            RetentionPolicy(events_days=settings.retention.events_days, sessions_days=settings.retention.sessions_days),
            clock=server.clock,
            instruments=self.metrics,
            remove_environments=lambda: (
                0 if settings.environment_folder is not None else len(environments.collect(self.services))
            ),
        )
        self.accounts = open_accounts(
            database=server.database,
            box=keyring.box,
            clock=server.clock,
            new_slug=system_slug,
            environ=environ,
            public_url=settings.http.public_url,
            find_integration=find_integration,
            mark=mark or self._mark,
        )
        self.service_events = ServiceEvents(
            server,
            box=keyring.box,
            intake=self.intake,
            tokens=self.accounts.tokens,
            http_for=self._http_for,
            environ=environ,
            instruments=self.metrics,
        )
        self.services = Services(
            database=server.database,
            clock=server.clock,
            new_id=server.new_id,
            new_slug=system_slug,
            scheduler=server.scheduler,
            keyring=keyring,
            accounts=self.accounts,
            intake=self.intake,
            setups=server.setups,
            warm_up=server.warm_up,
            examine=server.runners.examine,
            schedules_changed=self.cron.schedules_changed,
            feeds_changed=self.service_events.changed,
            http_for=self._http_for,
            public_url=settings.http.public_url,
            service_url=settings.http.service_url,
        )
        self.oauth_pages = OAuthPages(self.services, is_secure=settings.http.public_url.startswith("https:"))
        self._warming = Background("warming-up", self._warm_up)
        self.ingress = Ingress(
            load_published=lambda slug, key: load_published(server.database, slug, key),
            clock=server.clock,
            new_id=server.new_id,
            intake=self.intake,
            replies=self.replies,
            max_body_bytes=settings.http.webhook_body_bytes,
            sync_timeout_s=settings.http.sync_timeout_s,
            instruments=self.metrics,
        )

    def _mark(self, connection_id: str, code: Code, message: str) -> None:
        connecting.note(self.server.database, connection_id, code, message, now=self.server.clock.now_us())

    def _over_network(self, api: str, base_url: str) -> Http:
        return ServiceHttp(now_s=lambda: self.server.clock.now_us() // 1_000_000, api=api, base_url=base_url)

    def _warm_up(self) -> None:
        """Get ready for sessions of what was deployed last, so that the first event need not wait for imports."""
        for deployment, build in deployments.newest_active(self.services, limit=_WARMED_UP):
            if self._warming.is_closing:
                return
            try:
                self.services.warm_up(deployment.project_id, build)
            except ServerError as error:
                _log.warning("%s is not ready for sessions yet: %s", deployment.id, error)

    def start(self) -> int:
        """Begin to work; how many unfinished sessions were found."""
        # Sessions that need such a var cannot begin: whoever starts the server is to know that before they do not.
        for problem in find_unopenable(self.services):
            _log.error("%s", problem)
        found = self.server.start()
        self.intake.open()
        self.cron.open()
        self.service_events.open()
        self.sweeper.open()
        self._warming.open()
        return found

    def close(self) -> None:
        """Stop, in this order: nothing more comes in, activities come to their ends, everything is closed."""
        self._warming.close()
        self.sweeper.close()
        self.service_events.close()
        self.cron.close()
        self.intake.close()
        self.server.close(grace_s=self.settings.stop_grace_s)
        self.accounts.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
