"""Vars as people handle them. The value of a secret one is shown only to who asks for it in so many words."""

from collections.abc import Sequence
from dataclasses import dataclass

from autokitteh_server.core.entities import Var
from autokitteh_server.core.errors import NotFound
from autokitteh_server.core.ids import is_id
from autokitteh_server.core.names import did_you_mean
from autokitteh_server.integrations.registry import load_integration
from autokitteh_server.operations.checks import check_name, check_text
from autokitteh_server.operations.connections import find_connection
from autokitteh_server.operations.lookups import find_project
from autokitteh_server.operations.services import Services
from autokitteh_server.secretbox.box import Box, CannotOpen
from autokitteh_server.storage import connections, variables
from autokitteh_server.storage.connection import Connection


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownVar:
    """A var as it may be shown."""

    owner_id: str  # of the project or the connection
    name: str
    value: str | None  # None: it is secret, and was not asked for
    is_secret: bool
    is_declared: bool
    description: str
    updated_at: int

    def __repr__(self) -> str:
        value = "***" if self.is_secret else self.value  # reprs end up in logs
        return f"ShownVar(owner_id={self.owner_id!r}, name={self.name!r}, value={value!r}, is_secret={self.is_secret})"


def set_value(
    services: Services,
    owner: str,
    name: str,
    value: str,
    *,
    is_secret: bool | None = None,
    description: str | None = None,
) -> ShownVar:
    """Set a var of a project (`project`) or connection (`project/connection`); either may be given by id.

    What is not given stays as it is: a secret var stays one, and so does its description. A new one is secret if it is
    one of the credentials that connections like its owner have. Raises InvalidArgument, and NotFound for the owner.
    """
    check_name("var", name)
    check_text(name, value)
    check_text("description", description or "")
    now = services.clock.now_us()

    def write(conn: Connection) -> Var:
        owner_id = find_owner(conn, owner)
        present = variables.find(conn, owner_id, name)
        was_secret = present is not None and present.is_secret
        by_default = _is_credential(conn, owner_id, name) if present is None else was_secret
        is_sealed = by_default if is_secret is None else is_secret
        var = Var(
            owner_id=owner_id,
            name=name,
            value=services.box.seal(value, owner_id=owner_id, name=name) if is_sealed else value,
            is_secret=is_sealed,
            is_declared=present is not None and present.is_declared,
            description=(present.description if present else "") if description is None else description,
            updated_at=now,
        )
        variables.put(conn, var)
        return var

    var = services.database.write(write)
    services.scheduler.retry()  # sessions may be waiting for a value that can be opened
    services.feeds_changed()
    return _shown(var, services.box, reveal=False)


def get(services: Services, owner: str, name: str, *, reveal: bool = False) -> ShownVar:
    """A var of a project or connection; with `reveal` the value of a secret one, too. Raises NotFound, CannotOpen."""
    return _shown(services.database.read(lambda conn: _find(conn, owner, name)), services.box, reveal=reveal)


def list_all(services: Services, owner: str, *, reveal: bool = False) -> Sequence[ShownVar]:
    """The vars of a project or connection, by name. Raises NotFound, CannotOpen."""
    found = services.database.read(lambda conn: variables.of_owners(conn, [find_owner(conn, owner)]))
    return [_shown(var, services.box, reveal=reveal) for var in found]


def delete(services: Services, owner: str, name: str) -> ShownVar:
    """Delete a var; what it was. Raises NotFound."""

    def write(conn: Connection) -> Var:
        var = _find(conn, owner, name)
        variables.remove(conn, var.owner_id, var.name)
        return var

    var = services.database.write(write)
    services.feeds_changed()
    return _shown(var, services.box, reveal=False)


def find_unopenable(services: Services) -> Sequence[CannotOpen]:
    """Why secret vars cannot be opened with the keys that are here, one by one: a server tells it when it starts."""
    found = []
    for var in services.database.read(variables.secrets):
        try:
            services.box.open(var.value, owner_id=var.owner_id, name=var.name)
        except CannotOpen as error:
            found.append(error)
    return found


def find_owner(conn: Connection, which: str) -> str:
    """The id of the project or connection that owns vars. Raises NotFound."""
    if is_id(which, "con") or "/" in which:
        return find_connection(conn, which).id
    return find_project(conn, which).id


def _is_credential(conn: Connection, owner_id: str, name: str) -> bool:
    if not is_id(owner_id, "con"):
        return False
    return name in load_integration(connections.get(conn, owner_id).integration).secret_variables


def _find(conn: Connection, owner: str, name: str) -> Var:
    owner_id = find_owner(conn, owner)
    found = variables.find(conn, owner_id, name)
    if found is None:
        near = did_you_mean(name, [var.name for var in variables.of_owners(conn, [owner_id])])
        remedy = f"Did you mean {near}?" if near else f"`ak var list {owner}` shows those there are."
        raise NotFound(f"{owner} has no var {name!r}", remedy)
    return found


def _shown(var: Var, box: Box, *, reveal: bool) -> ShownVar:
    value: str | None = var.value
    if var.is_secret:
        value = box.open(var.value, owner_id=var.owner_id, name=var.name) if reveal else None
    return ShownVar(
        owner_id=var.owner_id,
        name=var.name,
        value=value,
        is_secret=var.is_secret,
        is_declared=var.is_declared,
        description=var.description,
        updated_at=var.updated_at,
    )
