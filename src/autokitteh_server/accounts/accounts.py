"""All that a server does about the accounts behind connections, made of what it has."""

from collections.abc import Mapping
from dataclasses import dataclass

from autokitteh_server.accounts.apps import Apps
from autokitteh_server.accounts.grants import Grants
from autokitteh_server.accounts.oauth import OAuth
from autokitteh_server.accounts.refresh import FindIntegration, Mark, Tokens
from autokitteh_server.accounts.web import Web
from autokitteh_server.core.clock import Clock
from autokitteh_server.core.errors import NotFound
from autokitteh_server.core.ids import SlugSource
from autokitteh_server.integrations.spec import Code, Integration
from autokitteh_server.secretbox.box import Box
from autokitteh_server.storage.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """Threads may share it."""

    oauth: OAuth  # people let connections in
    tokens: Tokens  # connections stay in
    web: Web

    def close(self) -> None:
        """Let go of connections to services."""
        self.web.close()


def open_accounts(
    *,
    database: Database,
    box: Box,
    clock: Clock,
    new_slug: SlugSource,
    environ: Mapping[str, str],
    public_url: str,
    find_integration: FindIntegration,
    mark: Mark,
    web: Web | None = None,
) -> Accounts:
    """`environ`: where the ids and secrets of the server's own apps are. `public_url`: where browsers come back to."""
    web = web or Web()
    grants = Grants(web, Apps(environ))
    tokens = Tokens(
        database=database, box=box, clock=clock, grants=grants, find_integration=find_integration, mark=mark
    )
    oauth = OAuth(
        database=database,
        box=box,
        clock=clock,
        new_slug=new_slug,
        grants=grants,
        find_integration=find_integration,
        mark=mark,
        public_url=public_url,
    )
    return Accounts(oauth=oauth, tokens=tokens, web=web)


def no_integrations(name: str) -> Integration:
    """What is known of integrations where nothing is. Raises NotFound."""
    raise NotFound(f"this server does not know how connections to {name} are made")


def mark_nothing(connection_id: str, code: Code, message: str) -> None:
    """How connections stand is noted by nobody."""
