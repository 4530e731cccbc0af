"""A source, kept as a build."""

import hashlib

from autokitteh_server.builds.source import Source, digest, without_secret_values
from autokitteh_server.core.entities import Build, BuildSetup, Project
from autokitteh_server.core.ids import IdSource
from autokitteh_server.storage import builds
from autokitteh_server.storage.connection import Connection


def save_build(
    conn: Connection,
    project: Project,
    source: Source,
    setup: BuildSetup | None = None,
    *,
    now: int,
    new_id: IdSource,
) -> Build:
    """Store a source, but for the values of secret vars, as a build of a project; or give the equal one there is."""
    source = without_secret_values(source)
    hashes = {path: hashlib.sha256(content).hexdigest() for path, content in source.files.items()}
    build = Build(
        id=new_id("bld"),
        project_id=project.id,
        digest=digest(source.files, setup.lock if setup is not None else ""),
        files=hashes,
        created_at=now,
        setup=setup,
    )
    return builds.save(conn, build, source.files)
