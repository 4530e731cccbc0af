"""What a session's code finds in its environment."""

from typing import NamedTuple, Protocol

from autokitteh_server.core.entities import Session, Var
from autokitteh_server.core.manifest import TriggerType
from autokitteh_server.storage import connections, projects, triggers, variables
from autokitteh_server.storage.connection import Connection


class Opener(Protocol):
    """Knows the keys of secret vars."""

    def open(self, sealed: str, *, owner_id: str, name: str) -> str: ...


def webhook_url(public_url: str, slug: str) -> str:
    """Where a webhook receives its requests."""
    return f"{public_url}/webhooks/{slug}"


def store_url(public_url: str, slug: str) -> str:
    """Under which a project's published values are."""
    return f"{public_url}/store/{slug}"


class Environment(NamedTuple):
    """A session's variables."""

    values: dict[str, str]
    secrets: tuple[str, ...] = ()  # those of the values that nobody may read in a log
    settings: frozenset[str] = frozenset()  # the project's vars that are no secrets

    def kept(self) -> dict[str, str]:
        """What a durable session keeps for its life: its code may have branched on it, in ways that no record shows.

        Credentials are not kept, for they are renewed, and URLs are where the server is now.
        """
        return {name: self.values[name] for name in self.settings}

    def with_kept(self, kept: dict[str, str]) -> dict[str, str]:
        """The values, with those in place that the session has had from its beginning on."""
        return {name: value for name, value in self.values.items() if name not in self.settings} | kept


def load_environment(conn: Connection, session: Session, *, opener: Opener, public_url: str) -> Environment:
    """A session's variables by name, as they are now; those that it was given at its start come before all others.

    Those of the project by their names, those of a connection C as `C__NAME` and `C__connection_id`, the URLs of
    webhooks W as `W__webhook_url`, and `store_public_url`. Without a public URL there are no URLs.
    """
    project_id = session.project_id
    owners = {connection.id: f"{connection.name}__" for connection in connections.list(conn, project_id)}
    found = {f"{prefix}connection_id": owner_id for owner_id, prefix in owners.items()}
    secrets: list[str] = []
    settings: set[str] = set(session.vars)
    for var in variables.of_owners(conn, [project_id, *owners]):
        value = found[owners.get(var.owner_id, "") + var.name] = _value(var, opener)
        if var.is_secret:
            secrets.append(value)
        elif var.owner_id == project_id:
            settings.add(var.name)
    if public_url:
        found |= _urls(conn, project_id, public_url)
    return Environment(found | session.vars, tuple(secrets), frozenset(settings))


def _value(var: Var, opener: Opener) -> str:
    return opener.open(var.value, owner_id=var.owner_id, name=var.name) if var.is_secret else var.value


def _urls(conn: Connection, project_id: str, public_url: str) -> dict[str, str]:
    found = {
        f"{trigger.name}__webhook_url": webhook_url(public_url, trigger.webhook_slug)
        for trigger in triggers.list(conn, project_id)
        if trigger.type is TriggerType.WEBHOOK and trigger.webhook_slug is not None
    }
    slug = projects.get(conn, project_id).store_slug
    return found | ({"store_public_url": store_url(public_url, slug)} if slug is not None else {})
