"""Makes what storage tests put into a store."""

import itertools

from autokitteh_server.core.entities import Build, Project, Session
from autokitteh_server.core.journal import Record, StoredRecord
from autokitteh_server.core.states import SessionState
from autokitteh_server.storage import builds, journal, projects, sessions
from autokitteh_server.storage.blobs import hash_of
from autokitteh_server.storage.database import Database

PROJECT = Project(id="prj_1", name="greeter", created_at=1)
FILES = {"main.py": b"def main(): ...\n", "data/names.txt": b"Ada\n"}
BUILD = Build(
    id="bld_1",
    project_id=PROJECT.id,
    digest="d1",
    files={path: hash_of(data) for path, data in FILES.items()},
    created_at=2,
)
_numbers = itertools.count(1)


def make_session(**values: object) -> Session:
    """A session of PROJECT and BUILD that is in no store yet."""
    defaults: dict[str, object] = {
        "id": f"ses_{next(_numbers):06}",
        "project_id": PROJECT.id,
        "build_id": BUILD.id,
        "entry": "main.py:main",
        "durable": True,
        "state": SessionState.CREATED,
        "created_at": 10,
        "updated_at": 10,
    }
    return Session(**(defaults | values))  # type: ignore[arg-type]


def add_session(database: Database, *, claimed: bool = True, **values: object) -> str:
    """Store a session, with its project and build. A claimed one is at epoch 1. Returns its id."""
    session = make_session(**values)
    database.write(lambda conn: projects.get_or_create(conn, PROJECT))
    database.write(lambda conn: builds.save(conn, BUILD, FILES))
    database.write(lambda conn: sessions.create(conn, session))
    if claimed:
        claim(database, session.id)
    return session.id


def claim(database: Database, session_id: str) -> Session | None:
    """Take a session over."""
    return database.write(lambda conn: sessions.claim(conn, session_id, now=20))


def call(index: int, **values: object) -> Record:
    """The record of a call that is done."""
    return Record(**({"kind": "call", "phase": "done", "index": index, "name": "f"} | values))  # type: ignore[arg-type]


def load(database: Database, session_id: str) -> list[StoredRecord]:
    """A session's journal."""
    return list(database.read(lambda conn: journal.load(conn, session_id)))


def indexes(database: Database, session_id: str) -> list[int]:
    """The indexes of a session's records, in order."""
    return [stored.record.index for stored in load(database, session_id)]
