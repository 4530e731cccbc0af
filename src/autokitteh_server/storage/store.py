"""A project's key-value store. Each operation is atomic, whoever else works on the same key."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, select, update

from autokitteh_server.core.errors import InvalidArgument, WrongType
from autokitteh_server.storage import schema
from autokitteh_server.storage.dialects import dialect_of
from autokitteh_server.storage.values import dump_json, is_storable, load_json, same_json

#: Longest key. PostgreSQL's indexes take no more than 2,700 bytes in an entry.
MAX_KEY_BYTES = 1024

_rows = schema.store_values


#: In place of a value: the key is missing.
_MISSING: Any = object()


class _Change(NamedTuple):
    """What an operation makes of a stored value."""

    new: Any
    answer: Any


def _add(old: Any, amount: Any) -> _Change:
    old = 0 if old is _MISSING else old
    for value, which in ((old, "the stored value"), (amount, "what is added")):
        if isinstance(value, bool) or not isinstance(value, int | float):
            raise WrongType(f"{which} is not a number: {value!r:.100}", "Only numbers can be added.")
    return _Change(old + amount, old + amount)


def _check_and_set(old: Any, expected: Any, new: Any) -> _Change:
    # Through text and back: what is stored has been there, and a tuple, say, has become a list.
    fits = same_json(None if old is _MISSING else old, load_json(dump_json(expected)))
    return _Change(new if fits else old, fits)


#: Operations that write: number of arguments, and what they do.
_OPERATIONS: Mapping[str, tuple[int, Callable[..., _Change]]] = {
    "set": (1, lambda _old, new: _Change(new, None)),
    "del": (0, lambda _old: _Change(_MISSING, None)),
    "add": (1, _add),
    "check_and_set": (2, _check_and_set),
}


def mutate(conn: Connection, project_id: str, key: str, op: str, args: Sequence[Any] = ()) -> Any:
    """Do one operation on one key, and return its answer.

    get: the value, None if the key is missing. set VALUE, del: None. add NUMBER: the sum; a missing key counts as 0.
    check_and_set EXPECTED NEW: whether the value was EXPECTED, and so is NEW now; an EXPECTED None fits a missing key,
    too. Only `get` may run in a transaction that reads.

    Raises InvalidArgument for another operation, a wrong number of arguments and a key that cannot be stored, WrongType
    for numbers that are none.
    """
    _check_key(key)
    count, change = (0, None) if op == "get" else _OPERATIONS.get(op, (-1, None))
    if count < 0:
        raise InvalidArgument(f"{op!r} is no operation on a stored value", f"There are: get, {', '.join(_OPERATIONS)}.")
    if len(args) != count:
        raise InvalidArgument(f"{op} takes {count} values besides the key, not {len(args)}")
    if change is None:
        value = _load(conn, project_id, key)
        return None if value is _MISSING else value
    # Before the first look: a key that is missing has no row that could be locked.
    dialect_of(conn).lock_name(conn, f"{project_id} {key}")
    old = _load(conn, project_id, key)
    new, answer = change(old, *args)
    if new is not old:
        _save(conn, project_id, key, new)
    return answer


def list_keys(conn: Connection, project_id: str) -> Sequence[str]:
    """The project's keys, sorted by code point."""
    return sorted(conn.execute(select(_rows.c.key).where(_rows.c.project_id == project_id)).scalars())


def publish(conn: Connection, project_id: str, key: str) -> bool:
    """Let everyone read a value; False if there is none. A value that is deleted is not published any more."""
    return _set_published(conn, project_id, key, True)


def unpublish(conn: Connection, project_id: str, key: str) -> bool:
    """Take back `publish`; False if there is no such value."""
    return _set_published(conn, project_id, key, False)


def load_published(conn: Connection, project_id: str, key: str) -> tuple[bool, Any]:
    """Whether there is a published value of this key, and the value."""
    query = select(_rows.c.value).where(_rows.c.project_id == project_id, _rows.c.key == key, _rows.c.is_published)
    stored = conn.execute(query).scalar_one_or_none()
    return (False, None) if stored is None else (True, load_json(stored))


def _set_published(conn: Connection, project_id: str, key: str, is_published: bool) -> bool:
    changed = update(_rows).where(_rows.c.project_id == project_id, _rows.c.key == key)
    return bool(conn.execute(changed.values(is_published=is_published)).rowcount)


def _check_key(key: str) -> None:
    if not is_storable(key):
        raise InvalidArgument("the key has a character that cannot be stored", "Use ordinary text.")
    if len(key.encode()) > MAX_KEY_BYTES:
        raise InvalidArgument(f"the key is longer than {MAX_KEY_BYTES} bytes", "Use a shorter one, such as a hash.")


def _load(conn: Connection, project_id: str, key: str) -> Any:
    query = select(_rows.c.value).where(_rows.c.project_id == project_id, _rows.c.key == key)
    stored = conn.execute(query).scalar_one_or_none()
    return _MISSING if stored is None else load_json(stored)


def _save(conn: Connection, project_id: str, key: str, value: Any) -> None:
    if value is _MISSING:
        conn.execute(delete(_rows).where(_rows.c.project_id == project_id, _rows.c.key == key))
        return
    row = {"project_id": project_id, "key": key, "value": dump_json(value)}
    insert = dialect_of(conn).insert(_rows).values(row)
    conn.execute(
        insert.on_conflict_do_update(
            index_elements=[_rows.c.project_id, _rows.c.key], set_={"value": insert.excluded.value}
        )
    )
