"""Builds: which files, and by their hashes the blobs with the contents."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from autokitteh_server.core.entities import Build, BuildSetup
from autokitteh_server.core.errors import FailedPrecondition, InvalidArgument, NotFound
from autokitteh_server.storage import blobs, schema
from autokitteh_server.storage.dialects import dialect_of
from autokitteh_server.storage.values import dump_json, is_storable, load_json

_rows = schema.builds
_files = schema.build_files


def save(conn: Connection, build: Build, contents: Mapping[str, bytes]) -> Build:
    """Store a build with the contents of its files, by path.

    Returns it, or the one of the same project and digest that is there already; then nothing is stored. Raises
    InvalidArgument if contents and hashes do not fit, or a path cannot be stored.
    """
    if {path: blobs.hash_of(data) for path, data in contents.items()} != build.files:
        raise InvalidArgument(f"the contents of build {build.id} are not those that its files name")
    for path in build.files:
        if not is_storable(path):
            raise InvalidArgument(f"the path {path!r} has a character that cannot be stored", "Rename the file.")
    values = {
        "id": build.id,
        "project_id": build.project_id,
        "digest": build.digest,
        "created_at": build.created_at,
        "setup": None if build.setup is None else dump_json(asdict(build.setup)),
    }
    same = [_rows.c.project_id, _rows.c.digest]
    store = dialect_of(conn).insert(_rows).values(values).on_conflict_do_nothing(index_elements=same)
    if conn.execute(store.returning(_rows.c.id)).one_or_none() is None:
        earlier = find_by_digest(conn, build.project_id, build.digest)
        assert earlier is not None
        return earlier
    blobs.put_all(conn, contents.values())
    if build.files:
        rows = [{"build_id": build.id, "path": path, "blob": name} for path, name in build.files.items()]
        conn.execute(insert(_files), rows)
    return build


def get(conn: Connection, build_id: str) -> Build:
    """The build. Raises NotFound."""
    row = conn.execute(select(_rows).where(_rows.c.id == build_id)).one_or_none()
    if row is None:
        raise NotFound(f"there is no build {build_id}")
    return _from_row(conn, row)


def find_by_digest(conn: Connection, project_id: str, digest: str) -> Build | None:
    """The project's build with this digest, if there is one."""
    query = select(_rows).where(_rows.c.project_id == project_id, _rows.c.digest == digest)
    row = conn.execute(query).one_or_none()
    return None if row is None else _from_row(conn, row)


def set_up(conn: Connection, build_id: str, setup: BuildSetup) -> None:
    """Say what the sessions of a build need, of which that was not known."""
    conn.execute(
        update(_rows).where(_rows.c.id == build_id, _rows.c.setup.is_(None)).values(setup=dump_json(asdict(setup)))
    )


def locks(conn: Connection) -> set[str]:
    """All locks that builds have."""
    stored = conn.execute(select(_rows.c.setup).where(_rows.c.setup.is_not(None)).distinct()).scalars()
    return {load_json(text)["lock"] for text in stored}


def list(
    conn: Connection, project_id: str | None = None, *, limit: int, after_id: str | None = None
) -> Sequence[Build]:
    """Builds, newest first. `after_id`: the last one of the page before."""
    query = select(_rows).order_by(_rows.c.id.desc()).limit(limit)
    if project_id is not None:
        query = query.where(_rows.c.project_id == project_id)
    if after_id is not None:
        query = query.where(_rows.c.id < after_id)
    return [_from_row(conn, row) for row in conn.execute(query).all()]


def remove(conn: Connection, build_id: str) -> None:
    """Delete a build. Raises NotFound, and FailedPrecondition if a deployment or session has it."""
    get(conn, build_id)
    for table, noun in ((schema.deployments, "deployment"), (schema.sessions, "session")):
        using = conn.execute(select(table.c.id).where(table.c.build_id == build_id).limit(1)).scalar_one_or_none()
        if using is not None:
            raise FailedPrecondition(f"{noun} {using} has build {build_id}", "Delete that first.")
    conn.execute(delete(_files).where(_files.c.build_id == build_id))
    conn.execute(delete(_rows).where(_rows.c.id == build_id))


def read_files(conn: Connection, build_id: str) -> dict[str, bytes]:
    """The contents of a build's files by path, in order of path. Empty if there is no such build."""
    contents = schema.blobs
    query = (
        select(_files.c.path, contents.c.data)
        .join(contents, contents.c.hash == _files.c.blob)
        .where(_files.c.build_id == build_id)
        .order_by(_files.c.path)
    )
    return {path: bytes(data) for path, data in conn.execute(query)}


def _from_row(conn: Connection, row: Row[Any]) -> Build:
    files = conn.execute(
        select(_files.c.path, _files.c.blob).where(_files.c.build_id == row.id).order_by(_files.c.path)
    )
    return Build(
        id=row.id,
        project_id=row.project_id,
        digest=row.digest,
        files={row.path: row.blob for row in files},
        created_at=row.created_at,
        setup=None if row.setup is None else _setup(load_json(row.setup)),
    )


def _setup(stored: dict[str, Any]) -> BuildSetup:
    return BuildSetup(lock=stored["lock"], modules=tuple(stored["modules"]), limits=stored["limits"])
