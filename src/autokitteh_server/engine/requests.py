"""What sessions ask the server to do: one small function a kind of request, in a table.

Each runs in the transaction that also records it, except for those that tell of secrets. It touches nothing but the
connection; what is to happen once that is durable, waking another session say, it leaves in `ctx.after`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import quote

from autokitteh_server.builds.syntax import Definitions, definitions
from autokitteh_server.core.entities import Session, Subscription
from autokitteh_server.core.errors import InvalidArgument, NotFound, WrongType
from autokitteh_server.core.filters import FilterError, compile_filter
from autokitteh_server.core.names import did_you_mean, parse_entry
from autokitteh_server.core.states import SessionState
from autokitteh_server.engine.environment import store_url
from autokitteh_server.engine.surroundings import Surroundings
from autokitteh_server.storage import (
    blobs,
    builds,
    connections,
    deployments,
    projects,
    sessions,
    signals,
    store,
    subscriptions,
    triggers,
)
from autokitteh_server.storage.connection import Connection
from autokitteh_server.storage.values import is_storable


class RequestError(Exception):
    """A request that can't be done; user code gets an error of this name, with this message."""

    def __init__(self, error: str, message: str) -> None:
        super().__init__(message)
        self.error = error
        self.message = message


@dataclass(slots=True)
class Context:
    """Who asks, and with what."""

    conn: Connection
    session: Session
    now: int
    around: Surroundings
    mask: Callable[[str], str]  # of the session's secrets
    after: list[Callable[[], None]] = field(default_factory=list)  # done once the transaction is durable


def start(ctx: Context, arguments: dict[str, Any]) -> str:
    """Make a session that runs another function, of the same build or of what another project has deployed."""
    parent = ctx.session
    home = _home(ctx, arguments["project"])
    _check_entry(ctx.conn, home.build_id, arguments["loc"])
    child = Session(
        id=ctx.around.new_id("ses"),
        project_id=home.project_id,
        build_id=home.build_id,
        deployment_id=home.deployment_id,
        entry=arguments["loc"],
        durable=parent.durable,
        state=SessionState.CREATED,
        event={"data": arguments["data"], "event_id": None, "event_type": None},
        vars=parent.vars if home.project_id == parent.project_id else {},
        # It is there for people, and for nobody else.
        memo={ctx.mask(name): ctx.mask(value) for name, value in arguments["memo"].items()},
        parent_id=parent.id,
        created_at=ctx.now,
        updated_at=ctx.now,
    )
    sessions.create(ctx.conn, child)
    ctx.after.append(lambda: ctx.around.scheduler.start(child.id, child.project_id))
    return child.id


def signal(ctx: Context, arguments: dict[str, Any]) -> None:
    """Put a signal into a session's inbox. One that is over gets it no more, which is no error."""
    target = arguments["session_id"]
    try:
        sessions.get(ctx.conn, target)
    except NotFound as err:
        raise RequestError("AutoKittehError", f"signal({target!r}, ...): {err.message}") from err
    signals.send(ctx.conn, target, arguments["name"], arguments["payload"], now=ctx.now)
    ctx.after.append(lambda: ctx.around.scheduler.wake(target, arguments["name"]))


def store_value(ctx: Context, arguments: dict[str, Any]) -> Any:
    """An atomic operation on the project's stored values."""
    op = arguments["op"]
    if op != "list_keys" and "key" not in arguments:
        raise RequestError("ValueError", f"{op!r} takes a key")
    if op == "list_keys":
        return list(store.list_keys(ctx.conn, ctx.session.project_id))
    if op in ("publish", "unpublish"):
        return _set_published(ctx, arguments["key"], op == "publish")
    try:
        return store.mutate(ctx.conn, ctx.session.project_id, arguments["key"], op, arguments.get("args", []))
    except WrongType as err:
        raise RequestError("TypeError", err.message) from err
    except (TypeError, ValueError, OverflowError) as err:  # the last: a very large integer, and a float
        raise RequestError(type(err).__name__, str(err)) from err


def outcome(ctx: Context, arguments: dict[str, Any]) -> None:
    """The journal keeps it; whoever waits for it is told."""
    event_id = arguments["event_id"] or ctx.session.event_id
    if event_id is not None:
        ctx.after.append(lambda: ctx.around.outcomes.replied(event_id, arguments))


def subscribe(ctx: Context, arguments: dict[str, Any]) -> str:
    """Begin to queue a source's events for the session."""
    name = arguments["source"]
    asked = f"subscribe({name!r})"
    if not ctx.around.public_url:
        raise RequestError("AutoKittehError", f"{asked}: events arrive at a server (`ak up`), and `ak run` is none")
    try:
        compile_filter(arguments["filter"])
    except FilterError as err:
        raise RequestError("AutoKittehError", f"{asked}: the filter is not valid: {err}") from err
    subscription = Subscription(
        id=ctx.around.new_id("sub"),
        session_id=ctx.session.id,
        project_id=ctx.session.project_id,
        source_id=_source_id(ctx, name),
        filter=arguments["filter"],
        created_at=ctx.now,
    )
    subscriptions.create(ctx.conn, subscription)
    return subscription.id


def unsubscribe(ctx: Context, arguments: dict[str, Any]) -> None:
    """Forget a subscription, and what is queued for it."""
    subscriptions.end(ctx.conn, ctx.session.id, arguments["id"])


class Told(NamedTuple):
    """An answer that is not recorded, and the secret that is in it."""

    value: Any
    secret: str


def refresh_token(around: Surroundings, session: Session, arguments: dict[str, Any]) -> Told:
    """A connection's access token, fresh."""
    token = around.credentials.refresh(session, arguments["connection"], force=arguments["force"])
    return Told(token, token["access_token"])


def sign_jwt(around: Surroundings, session: Session, arguments: dict[str, Any]) -> Told:
    """A token of a connection's app."""
    signed = around.credentials.sign(session, arguments["connection"], arguments["payload"])
    return Told(signed, signed)


#: What is answered outside transactions, for it may take its time, and never recorded.
UNRECORDED: dict[str, Callable[[Surroundings, Session, dict[str, Any]], Told]] = {
    "refresh_token": refresh_token,
    "sign_jwt": sign_jwt,
}

HANDLERS: dict[str, Callable[[Context, dict[str, Any]], Any]] = {
    "start": start,
    "signal": signal,
    "store": store_value,
    "outcome": outcome,
    "subscribe": subscribe,
    "unsubscribe": unsubscribe,
}

#: What a request of each kind is asked with: one of these sets of arguments, each of such a type.
ARGUMENTS: dict[str, Sequence[dict[str, Any]]] = {
    "start": ({"loc": str, "data": object, "memo": dict, "project": str},),
    "signal": ({"session_id": str, "name": str, "payload": object},),
    "store": ({"op": str, "key": str, "args": list}, {"op": str, "key": str}, {"op": str}),
    "outcome": ({"value": object, "event_id": str | None}, {"http": dict, "event_id": str | None}),
    "subscribe": ({"source": str, "filter": str},),
    "unsubscribe": ({"id": str},),
    "refresh_token": ({"connection": str, "force": bool},),
    "sign_jwt": ({"connection": str, "payload": dict},),
}

#: Those that are compared with what is in the database.
_STORED = ("loc", "project", "session_id", "source", "id")


def handle(ctx: Context, kind: str, arguments: dict[str, Any]) -> Any:
    """Do what is asked. Raises RequestError and InvalidArgument."""
    for name in _STORED:
        if not is_storable(arguments.get(name, "")):
            raise RequestError("ValueError", f"{kind}: {name} has a character that cannot be stored")
    return HANDLERS[kind](ctx, arguments)


class _Home(NamedTuple):
    """Where a new session belongs."""

    project_id: str
    build_id: str
    deployment_id: str | None


def _home(ctx: Context, project_name: str) -> _Home:
    parent = ctx.session
    if not project_name:
        return _Home(parent.project_id, parent.build_id, parent.deployment_id)
    project = projects.find_by_name(ctx.conn, project_name)
    if project is None:
        raise RequestError("AutoKittehError", f"start(project={project_name!r}): there is no such project")
    active = deployments.active_of(ctx.conn, [project.id]).get(project.id)
    if active is None:
        raise RequestError("AutoKittehError", f"start(project={project_name!r}): the project is not deployed")
    return _Home(project.id, active.build_id, active.id)


def _source_id(ctx: Context, name: str) -> str:
    """The connection, or else the trigger, of this name."""
    project_id = ctx.session.project_id
    source = connections.find_by_name(ctx.conn, project_id, name) or triggers.find_by_name(ctx.conn, project_id, name)
    if source is not None:
        return source.id
    known = [each.name for each in connections.list(ctx.conn, project_id)]
    known += [each.name for each in triggers.list(ctx.conn, project_id)]
    near = did_you_mean(name, known)
    hint = f"; did you mean {near}?" if near else ""
    raise RequestError(
        "AutoKittehError", f"subscribe({name!r}): the project has no connection or trigger of this name{hint}"
    )


def _set_published(ctx: Context, key: str, is_published: bool) -> str | None:
    name = "publish_value" if is_published else "unpublish_value"
    if not ctx.around.public_url:
        raise RequestError("AutoKittehError", f"{name}({key!r}): values are published by a server (`ak up`)")
    project_id = ctx.session.project_id
    if not is_published:
        store.unpublish(ctx.conn, project_id, key)
        return None
    slug = projects.get(ctx.conn, project_id).store_slug
    if slug is None or not store.publish(ctx.conn, project_id, key):
        raise RequestError("AutoKittehError", f"{name}({key!r}): there is no value of this key; store one first")
    return f"{store_url(ctx.around.public_url, slug)}/{quote(key, safe='')}"


def _check_entry(conn: Connection, build_id: str, loc: str) -> None:
    """Before a child exists: one that could only fail would leave its parent waiting for a reason to be found."""
    try:
        entry = parse_entry(loc)
    except InvalidArgument as err:
        raise RequestError("ValueError", f"start({loc!r}): {err}") from err
    content_hash = builds.get(conn, build_id).files.get(entry.file)
    if content_hash is None:
        raise RequestError("AutoKittehError", f"start({loc!r}): the project has no file {entry.file}")
    known = _definitions(blobs.get(conn, content_hash))
    if not known.has(entry.function):
        near = did_you_mean(entry.function, known.functions)
        hint = f"; did you mean {near}?" if near else ""
        raise RequestError("AutoKittehError", f"start({loc!r}): {entry.file} has no function {entry.function}{hint}")


@lru_cache(maxsize=64)
def _definitions(content: bytes) -> Definitions:
    return definitions(content)
