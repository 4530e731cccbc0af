"""How many journalled steps a second the store commits: threads that each commit one record and wait for it."""

import sys
import tempfile
import threading
import time
from pathlib import Path

from autokitteh_server.core.entities import Build, Project, Session
from autokitteh_server.core.journal import Record
from autokitteh_server.core.states import SessionState
from autokitteh_server.storage import builds, projects, sessions
from autokitteh_server.storage.database import Database

PAYLOAD = b"\x80" * 300


def measure(url: str, session_count: int, seconds: float) -> float:
    """Commits a second with so many sessions at once, each in a thread of its own. A new store is best at `url`."""
    with Database.open(url) as database:
        ids = _make_sessions(database, session_count)
        stop = threading.Event()
        counts = [0] * session_count
        threads = [
            threading.Thread(target=_commit_until, args=(database, session_id, stop, counts, index))
            for index, session_id in enumerate(ids)
        ]
        began = time.perf_counter()
        for thread in threads:
            thread.start()
        stop.wait(seconds)
        stop.set()
        for thread in threads:
            thread.join()
        return sum(counts) / (time.perf_counter() - began)


def _make_sessions(database: Database, count: int) -> list[str]:
    tag = time.time_ns()
    project = Project(id=f"prj_{tag}", name=f"bench_{tag}", created_at=1)
    build = Build(id=f"bld_{tag}", project_id=project.id, digest="0", files={}, created_at=1)
    made = [
        Session(
            id=f"ses_{tag}_{index}",
            project_id=project.id,
            build_id=build.id,
            entry="main.py:main",
            durable=True,
            state=SessionState.RUNNING,
            epoch=1,
            created_at=1,
            updated_at=1,
        )
        for index in range(count)
    ]
    database.write(lambda conn: projects.get_or_create(conn, project))
    database.write(lambda conn: builds.save(conn, build, {}))
    for session in made:
        database.write(lambda conn, session=session: sessions.create(conn, session))  # type: ignore[misc]
    return [session.id for session in made]


def _commit_until(database: Database, session_id: str, stop: threading.Event, counts: list[int], mine: int) -> None:
    while not stop.is_set():
        record = Record(
            kind="call",
            phase="done",
            index=counts[mine],
            name="requests.get",
            site="main.py:12:main",
            digest="0" * 32,
            args="'https://example.com/'",
            result="<Response [200]>",
            started_at=1,
            finished_at=2,
            codec="pickle",
            payload=PAYLOAD,
        )
        database.writer.commit(session_id, 1, [record])
        counts[mine] += 1


def main() -> None:
    """Print a line for each number of sessions; the argument is another store than a throw-away file."""
    with tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        for session_count in (1, 8, 64):
            url = sys.argv[1] if len(sys.argv) > 1 else f"sqlite:///{folder}/{session_count}.db"
            print(f"{session_count:3} sessions {measure(url, session_count, 3.0):8.0f} commits/s", flush=True)


if __name__ == "__main__":
    main()
