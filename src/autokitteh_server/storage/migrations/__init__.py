"""Alembic's environment, inside the package, so that a wheel has it as well.

Revisions are numbered, forward only, and named `NNNN_expand_what` or `NNNN_contract_what`: an expanding one leaves the
previous release working, a contracting one removes what that release still needed. None imports `schema`, which goes
on changing after it.
"""

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection


def config_for(conn: Connection | None = None) -> Config:
    """Alembic's configuration, to work on this connection."""
    config = Config()
    # Named by package, not by path: Alembic reads % and : in a path as something else.
    config.set_main_option("script_location", "autokitteh_server.storage:migrations")
    config.attributes["connection"] = conn
    return config


def upgrade(conn: Connection, revision: str = "head") -> None:
    """Bring a database to a revision, the newest unless said otherwise, in the transaction that has begun."""
    command.upgrade(config_for(conn), revision)
