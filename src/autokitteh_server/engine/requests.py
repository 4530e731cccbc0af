"""What sessions ask the server to do: one small function a kind of request, in a table.

Each runs in the transaction that also records it. It touches nothing but the connection; what is to happen once that
is durable, waking another session say, it leaves in `ctx.after`.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from autokitteh_server.builds.syntax import Definitions, definitions
from autokitteh_server.core.entities import Session
from autokitteh_server.core.errors import InvalidArgument, NotFound, WrongType
from autokitteh_server.core.ids import IdSource
from autokitteh_server.core.names import did_you_mean, parse_entry
from autokitteh_server.core.states import SessionState
from autokitteh_server.engine.scheduler import Scheduler
from autokitteh_server.storage import blobs, builds, sessions, signals, store
from autokitteh_server.storage.connection import Connection


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
    new_id: IdSource
    scheduler: Scheduler
    after: list[Callable[[], None]] = field(default_factory=list)  # done once the transaction is durable


def start(ctx: Context, arguments: dict[str, Any]) -> str:
    """Make a session that runs another function of the same build."""
    if arguments["project"]:
        raise RequestError("AutoKittehError", "start(project=...): sessions of other projects need a server (`ak up`)")
    parent = ctx.session
    _check_entry(ctx.conn, parent.build_id, arguments["loc"])
    child = Session(
        id=ctx.new_id("ses"),
        project_id=parent.project_id,
        build_id=parent.build_id,
        entry=arguments["loc"],
        durable=parent.durable,
        state=SessionState.CREATED,
        event={"data": arguments["data"], "event_id": None, "event_type": None},
        vars=parent.vars,
        memo=arguments["memo"],
        parent_id=parent.id,
        created_at=ctx.now,
        updated_at=ctx.now,
    )
    sessions.create(ctx.conn, child)
    ctx.after.append(lambda: ctx.scheduler.start(child.id, child.project_id))
    return child.id


def signal(ctx: Context, arguments: dict[str, Any]) -> None:
    """Put a signal into a session's inbox. One that is over gets it no more, which is no error."""
    target = arguments["session_id"]
    try:
        sessions.get(ctx.conn, target)
    except NotFound as err:
        raise RequestError("AutoKittehError", f"signal({target!r}, ...): {err.message}") from err
    signals.send(ctx.conn, target, arguments["name"], arguments["payload"], now=ctx.now)
    ctx.after.append(lambda: ctx.scheduler.wake(target, arguments["name"]))


def store_value(ctx: Context, arguments: dict[str, Any]) -> Any:
    """An atomic operation on the project's stored values."""
    op = arguments["op"]
    if op == "list_keys":
        return list(store.list_keys(ctx.conn, ctx.session.project_id))
    if op in ("publish", "unpublish"):
        raise RequestError("AutoKittehError", f"{op}_value: values are published by a server (`ak up`)")
    try:
        return store.mutate(ctx.conn, ctx.session.project_id, arguments["key"], op, arguments["args"])
    except WrongType as err:
        raise RequestError("TypeError", err.message) from err
    except (TypeError, ValueError) as err:
        raise RequestError(type(err).__name__, str(err)) from err


def outcome(ctx: Context, arguments: dict[str, Any]) -> None:
    """The journal keeps it; who waits for it reads it there."""


def subscribe(ctx: Context, arguments: dict[str, Any]) -> str:
    raise RequestError(
        "AutoKittehError",
        f"subscribe({arguments.get('source', '')!r}): events arrive at a server (`ak up`), and `ak run` is none",
    )


HANDLERS: dict[str, Callable[[Context, dict[str, Any]], Any]] = {
    "start": start,
    "signal": signal,
    "store": store_value,
    "outcome": outcome,
    "subscribe": subscribe,
    "unsubscribe": lambda ctx, arguments: None,
}


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
