"""Projects, builds and blobs."""

import pytest

from autokitteh_server.core.entities import Build, Project
from autokitteh_server.core.errors import InvalidArgument, NotFound
from autokitteh_server.storage import blobs, builds, projects
from autokitteh_server.storage.database import Database
from storage.rows import BUILD, FILES, PROJECT


def test_a_project_is_made_once_for_a_name(database: Database) -> None:
    """The second who asks gets the first one's project."""
    assert database.write(lambda conn: projects.get_or_create(conn, PROJECT)) == PROJECT
    again = Project(id="prj_9", name=PROJECT.name, created_at=9)
    assert database.write(lambda conn: projects.get_or_create(conn, again)) == PROJECT
    assert database.read(lambda conn: projects.get(conn, PROJECT.id)) == PROJECT
    assert database.read(lambda conn: projects.get_by_name(conn, PROJECT.name)) == PROJECT
    with pytest.raises(NotFound):
        database.read(lambda conn: projects.get(conn, "prj_9"))
    with pytest.raises(NotFound):
        database.read(lambda conn: projects.get_by_name(conn, "nobody"))


def test_a_build_comes_back_with_its_files(database: Database) -> None:
    """Paths, hashes and contents survive, and the digest finds it."""
    database.write(lambda conn: projects.get_or_create(conn, PROJECT))
    assert database.write(lambda conn: builds.save(conn, BUILD, FILES)) == BUILD
    assert database.read(lambda conn: builds.get(conn, BUILD.id)) == BUILD
    assert database.read(lambda conn: builds.read_files(conn, BUILD.id)) == FILES
    assert database.read(lambda conn: builds.find_by_digest(conn, PROJECT.id, BUILD.digest)) == BUILD
    assert database.read(lambda conn: builds.find_by_digest(conn, PROJECT.id, "other")) is None
    with pytest.raises(NotFound):
        database.read(lambda conn: builds.get(conn, "bld_none"))


def test_the_same_content_is_one_build(database: Database) -> None:
    """Saving a digest again gives the build that is there."""
    database.write(lambda conn: projects.get_or_create(conn, PROJECT))
    database.write(lambda conn: builds.save(conn, BUILD, FILES))
    twin = Build(id="bld_2", project_id=PROJECT.id, digest=BUILD.digest, files=BUILD.files, created_at=9)
    assert database.write(lambda conn: builds.save(conn, twin, FILES)) == BUILD


@pytest.mark.parametrize(("path", "data", "reason"), [("a.py", b"other", "contents"), ("a\udc80.py", b"x", "path")])
def test_a_build_that_does_not_fit_is_refused(database: Database, path: str, data: bytes, reason: str) -> None:
    """Contents must have the hashes that the build names, and paths must be text."""
    build = Build(id="bld_2", project_id=PROJECT.id, digest="d", files={path: blobs.hash_of(b"x")}, created_at=1)
    with pytest.raises(InvalidArgument, match=reason):
        database.write(lambda conn: builds.save(conn, build, {path: data}))


def test_a_build_may_be_empty(database: Database) -> None:
    """No files is a number of files, too."""
    database.write(lambda conn: projects.get_or_create(conn, PROJECT))
    empty = Build(id="bld_2", project_id=PROJECT.id, digest="e", files={}, created_at=1)
    database.write(lambda conn: builds.save(conn, empty, {}))
    assert database.read(lambda conn: builds.get(conn, "bld_2")) == empty


def test_a_blob_is_kept_once_under_its_hash(database: Database) -> None:
    """Equal data has one name; an unknown name is not found."""
    data = bytes(range(256)) * 20_000
    name = database.write(lambda conn: blobs.put(conn, data))
    assert database.write(lambda conn: blobs.put_all(conn, [b"", data])) == [blobs.hash_of(b""), name]
    assert database.read(lambda conn: blobs.get(conn, name)) == data
    assert database.read(lambda conn: blobs.get(conn, blobs.hash_of(b""))) == b""
    with pytest.raises(NotFound):
        database.read(lambda conn: blobs.get(conn, "0" * 64))
