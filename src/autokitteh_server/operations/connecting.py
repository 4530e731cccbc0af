"""Connections made ready for use: their credentials, and how they stand."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from autokitteh_server.accounts.errors import ServiceUnavailable
from autokitteh_server.accounts.lines import gets_tokens, http_of
from autokitteh_server.core.entities import CheckResult, Connection, Feed, Var
from autokitteh_server.core.errors import InternalError, NotFound, ServerError
from autokitteh_server.core.names import did_you_mean
from autokitteh_server.integrations.forms import (
    AUTH_TYPE,
    auth_in_use,
    choose_auth,
    fields_of,
    find_problem,
    read_form,
    variables_of,
)
from autokitteh_server.integrations.registry import all_integrations, load_integration
from autokitteh_server.integrations.samples import load_sample, sample_types
from autokitteh_server.integrations.spec import TOKENS, AuthType, Code, Integration, Status
from autokitteh_server.integrations.trying import try_connection
from autokitteh_server.operations import connections as plain
from autokitteh_server.operations import oauth
from autokitteh_server.operations.checks import check_text
from autokitteh_server.operations.connections import find_connection
from autokitteh_server.operations.listening import Events, events_of
from autokitteh_server.operations.services import Services
from autokitteh_server.secretbox.box import Box, CannotOpen
from autokitteh_server.storage import connections, feeds, variables
from autokitteh_server.storage.connection import Connection as Conn
from autokitteh_server.storage.database import Database


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A connection, and how it stands."""

    connection: Connection
    auth_type: str  # by which way it authenticates; "": it has no credentials yet
    status: Status
    checked_at: int | None  # when it was last tried; None: the status says what can be seen without that
    events: Events | None  # how they come in; None: its service sends none


@dataclass(frozen=True, slots=True, kw_only=True)
class Initialized:
    """What came of giving a connection its credentials."""

    standing: Standing
    authorize_url: str = ""  # where somebody has to agree, in a browser; "": nobody has to


def integrations() -> Sequence[Integration]:
    """What connections can be made to, by name."""
    return all_integrations()


def form_of(name: str) -> Integration:
    """An integration, with what its connections ask for. Raises NotFound."""
    try:
        return load_integration(name)
    except LookupError:
        names = [each.name for each in all_integrations()]
        near = did_you_mean(name, names)
        remedy = f"Did you mean {near}?" if near else "`ak integration list` shows those there are."
        raise NotFound(f"there is no integration {name[:100]!r}", remedy) from None


def sample_types_of(name: str) -> Sequence[str]:
    """The types of an integration's events of which there are samples. Raises NotFound."""
    return sample_types(form_of(name).name)


def sample_of(name: str, event_type: str) -> Any:
    """The data of a typical event of an integration. Raises NotFound."""
    there = sample_types_of(name)
    if event_type not in there:
        near = did_you_mean(event_type, there)
        known = f"There are: {', '.join(there)}." if there else "It has none."
        remedy = f"Did you mean {near}?" if near else known
        raise NotFound(f"{name} has no sample of {event_type[:100]!r}", remedy)
    return load_sample(name, event_type)


def list_all(services: Services, project: str = "") -> Sequence[Standing]:
    """The connections of a project, or all there are, by project and name, and how each stands. Raises NotFound."""
    return look(services, plain.list_all(services, project))


def get(services: Services, which: str) -> Standing:
    """A connection by `project/name` or id, and how it stands. Raises NotFound."""
    return look(services, [plain.get(services, which)])[0]


def look(services: Services, found: Sequence[Connection]) -> Sequence[Standing]:
    """How connections stand, as far as one can see without asking anybody."""
    ids = [each.id for each in found]

    def read(conn: Conn) -> tuple[Sequence[Var], Mapping[str, Feed]]:
        return variables.of_owners(conn, ids), feeds.of_connections(conn, ids)

    owned, fed = services.database.read(read)
    by_owner: dict[str, list[Var]] = {each: [] for each in ids}
    for var in owned:
        by_owner[var.owner_id].append(var)
    return [_standing(services, each, by_owner[each.id], fed.get(each.id)) for each in found]


def initialize(services: Services, which: str, auth_type: str, values: Mapping[str, str]) -> Initialized:
    """Give a connection its credentials, and try them. Fields that are left out stay as they are.

    All variables are stored in one transaction, and those of another way to authenticate are gone with it. If somebody
    has to agree in a browser, nothing is tried: `authorize_url` says where. Raises InvalidArgument, and NotFound.
    """
    now = services.clock.now_us()
    for name, value in values.items():
        check_text(name[:100], value)

    def write(conn: Conn) -> tuple[Connection, AuthType]:
        connection = find_connection(conn, which)
        spec = load_integration(connection.integration)
        owned = variables.of_owners(conn, [connection.id])
        stored = {var.name: var for var in owned}
        opened = _opened(owned, services.box)
        in_use = auth_in_use(spec, opened)
        if not auth_type and in_use is not None and values.keys() <= {each.name for each in fields_of(spec, in_use)}:
            auth = in_use
        else:
            auth = choose_auth(spec, auth_type, values)
        is_same = auth is in_use
        kept = read_form(spec, auth, values, [name for name, value in opened.items() if value] if is_same else ())
        made = {name: services.new_slug() for name in auth.generates if not opened.get(name)}
        kept |= made
        obsolete = _obsolete(auth, opened, kept) if is_same else _left_behind(spec, kept) - set(auth.generates)
        for var in owned:
            if var.name in obsolete and not var.is_declared:
                variables.remove(conn, var.owner_id, var.name)
        titles = {each.kept_in: each.title for each in fields_of(spec, auth)}
        for name, value in kept.items():
            is_secret = name in spec.secret_variables
            variables.put(conn, _made(services, connection.id, stored.get(name), name, value, is_secret, titles, now))
        return connection, auth

    connection, auth = services.database.write(write)
    services.scheduler.retry()  # sessions may be waiting for a value that can be opened
    services.feeds_changed()
    if auth.oauth is not None and auth.oauth.authorize_url:
        begun = oauth.begin(services, connection.id, auth.name)
        return Initialized(standing=get(services, connection.id), authorize_url=begun.url)
    return Initialized(standing=test(services, connection.id))


def note(database: Database, connection_id: str, code: Code, message: str, *, now: int) -> None:
    """Note how a connection stands by what came of getting it a token. A good one only takes an error away."""

    def write(conn: Conn) -> None:
        found = connections.of_ids(conn, [connection_id])
        had_trouble = bool(found) and found[0].checked is not None and found[0].checked.code == Code.ERROR
        if code is Code.ERROR or had_trouble:
            result = CheckResult(code=code, message=message or "has a new token", remedy="", checked_at=now)
            connections.save_check(conn, connection_id, result)

    database.write(write)


def test(services: Services, which: str) -> Standing:
    """Try a connection with one live call. What comes of it is stored, with what was learnt. Raises NotFound.

    A token that is had from the service is renewed before that if it is about to expire, or had if there is none: code
    that uses the connection begins with it. Nothing is stored if the connection's variables have changed meanwhile.
    """
    connection, owned = services.database.read(lambda conn: _with_variables(conn, which))
    spec = load_integration(connection.integration)
    values = {var.name: _value(var, services.box) for var in owned}
    status = _renew(services, connection, spec, values)
    if status is None:
        connection, owned = services.database.read(lambda conn: _with_variables(conn, connection.id))
        values = {var.name: _value(var, services.box) for var in owned}
        status = try_connection(spec, values, http_of(spec, values, services.http_for))
    if status.code is Code.INIT_REQUIRED:
        return get(services, connection.id)
    now = services.clock.now_us()
    result = CheckResult(code=status.code, message=status.message, remedy=status.remedy, checked_at=now)

    def write(conn: Conn) -> None:
        found = connections.of_ids(conn, [connection.id])
        if not found or found[0].integration != spec.name:
            return
        if variables.of_owners(conn, [connection.id]) != owned:
            return
        connections.save_check(conn, connection.id, result)
        for name, value in status.variables.items():
            if name in spec.learns and values.get(name) != value:
                is_secret = name in spec.secret_variables
                present = next((var for var in owned if var.name == name), None)
                variables.put(conn, _made(services, connection.id, present, name, value, is_secret, {}, now))

    services.database.write(write)
    services.feeds_changed()
    return replace(get(services, connection.id), status=status, checked_at=now)


def _renew(services: Services, connection: Connection, spec: Integration, values: Mapping[str, str]) -> Status | None:
    """See to it that a connection has a token that is good; what is wrong if it gets none."""
    if not gets_tokens(spec, values):
        return None
    try:
        services.accounts.tokens.fresh(connection)
    except InternalError:
        raise
    except ServiceUnavailable as error:
        return Status(code=Code.WARNING, message=f"there is no new token: {error.message}", remedy=error.remedy)
    except ServerError as error:
        return Status(code=Code.ERROR, message=f"there is no new token: {error.message}", remedy=error.remedy)
    return None


def _with_variables(conn: Conn, which: str) -> tuple[Connection, Sequence[Var]]:
    connection = find_connection(conn, which)
    return connection, variables.of_owners(conn, [connection.id])


def _standing(services: Services, connection: Connection, owned: Sequence[Var], feed: Feed | None) -> Standing:
    spec = load_integration(connection.integration)
    opened = _opened(owned, services.box)
    auth = auth_in_use(spec, opened)
    checked, checked_at = connection.checked, None
    status = find_problem(spec, opened)
    if status is None and checked is not None and not _is_stale(connection, owned, checked):
        status = Status(code=Code(checked.code), message=checked.message, remedy=checked.remedy)
        checked_at = checked.checked_at
    if status is None:
        since = "" if checked is None else " since it was changed"
        message = f"its credentials have not been tried{since}"
        status = Status(code=Code.WARNING, message=message, remedy="Run `ak connection test`.")
    return Standing(
        connection=connection,
        auth_type=auth.name if auth else "",
        status=status,
        checked_at=checked_at,
        events=events_of(connection, feed, opened, services.service_url),
    )


def _is_stale(connection: Connection, owned: Sequence[Var], checked: CheckResult) -> bool:
    """Whether what was tried is no longer what there is. What the server keeps itself does not count."""
    own = (*TOKENS, *load_integration(connection.integration).learns)
    changes = [var.updated_at for var in owned if var.name not in own]
    return max([connection.updated_at, *changes]) > checked.checked_at


def _made(
    services: Services,
    owner_id: str,
    present: Var | None,
    name: str,
    value: str,
    is_secret: bool,
    titles: Mapping[str, str],
    now: int,
) -> Var:
    is_sealed = is_secret or (present is not None and present.is_secret)
    return Var(
        owner_id=owner_id,
        name=name,
        value=services.box.seal(value, owner_id=owner_id, name=name) if is_sealed else value,
        is_secret=is_sealed,
        is_declared=present is not None and present.is_declared,
        description=present.description if present is not None else titles.get(name, ""),
        updated_at=now,
    )


def _obsolete(auth: AuthType, before: Mapping[str, str], kept: Mapping[str, str]) -> frozenset[str]:
    """The tokens that the server has had for credentials, if these are others now."""
    is_minted = auth.oauth is not None and not auth.oauth.authorize_url
    has_changed = any(before.get(name) != value for name, value in kept.items())
    return frozenset(TOKENS) if is_minted and has_changed else frozenset()


def _left_behind(spec: Integration, kept: Mapping[str, str]) -> frozenset[str]:
    """What a connection does not need any more once it authenticates in another way."""
    return variables_of(spec) - kept.keys() - {AUTH_TYPE, "base_url"}


def _opened(owned: Sequence[Var], box: Box) -> dict[str, str]:
    """The values of variables; of those that cannot be opened, their sealed texts: they are there, after all."""
    opened = {}
    for var in owned:
        try:
            opened[var.name] = _value(var, box)
        except CannotOpen:
            opened[var.name] = var.value
    return opened


def _value(var: Var, box: Box) -> str:
    return box.open(var.value, owner_id=var.owner_id, name=var.name) if var.is_secret else var.value
