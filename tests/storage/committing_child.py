"""Commits for its sessions until it is killed, and prints what has been acknowledged: session, index, a line each."""

import os
import sys
import threading

from autokitteh_server.core.journal import Record
from autokitteh_server.storage import journal
from autokitteh_server.storage.database import Database


def commit_for_ever(database: Database, session_id: str) -> None:
    """Each round appends one record, and commits another or inserts it in a transaction."""
    index = 0
    while True:
        first, second = (
            Record(kind="call", phase="done", index=number, payload=bytes([number % 256]) * (number % 7) * 20_000)
            for number in (index, index + 1)
        )
        database.writer.append(session_id, 1, [first])
        if index % 4:
            database.writer.commit(session_id, 1, [second])
        else:
            database.writer.transact(session_id, 1, lambda conn: journal.insert(conn, session_id, [second]))  # noqa: B023
        os.write(1, f"{session_id} {index + 1}\n".encode())
        index += 2


if __name__ == "__main__":
    opened = Database.open(sys.argv[1])
    for name in sys.argv[2:]:
        threading.Thread(target=commit_for_ever, args=(opened, name)).start()
