"""What the use cases work with."""

from collections.abc import Callable
from dataclasses import dataclass

from autokitteh_server.accounts.accounts import Accounts
from autokitteh_server.builds.setups import Setups
from autokitteh_server.core.clock import Clock
from autokitteh_server.core.entities import Build
from autokitteh_server.core.ids import IdSource, SlugSource
from autokitteh_server.core.protections import Protection
from autokitteh_server.dispatch.intake import Intake
from autokitteh_server.engine.scheduler import Scheduler
from autokitteh_server.integrations.spec import Http
from autokitteh_server.secretbox.box import Box
from autokitteh_server.secretbox.keyring import Keyring
from autokitteh_server.storage.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """Handed to every operation, as its first argument. Made by `wiring`."""

    database: Database
    clock: Clock
    new_id: IdSource
    new_slug: SlugSource
    scheduler: Scheduler
    keyring: Keyring  # for the values of secret vars
    accounts: Accounts  # the tokens of connections, and how people give them
    intake: Intake  # where events come in
    setups: Setups  # find out what builds need, and make it
    warm_up: Callable[[str, Build], tuple[str, ...]]  # get ready for sessions of a project's build; what to tell of it
    examine: Callable[[], list[Protection]]  # what keeps sessions from the server on this machine
    schedules_changed: Callable[[], None]  # to be called once a schedule that was changed is durable
    feeds_changed: Callable[[], None]  # to be called once that is durable by which connections get their events
    http_for: Callable[[str, str], Http]  # the way to a service: its API's address, and what is in place of that
    public_url: str  # under which others reach the server
    service_url: str  # the same as somebody has set it; "": nobody has, and services on the internet do not reach it

    @property
    def box(self) -> Box:
        """Seals the values of secret vars, and opens them."""
        return self.keyring.box
