"""`ak backup` and `ak restore`, as people use them: beside a server, into another folder."""

import os
import signal
from pathlib import Path

import pytest

from ak_process import Ak, finish

SLEEPY = """
    import time

    def main(event):
        print("one")
        time.sleep(float(event.data["s"]))
        print("two")
"""


def test_a_run_that_was_cut_off_goes_on_from_a_backup(ak: Ak) -> None:
    """The same command in the restored folder takes the session up where it was."""
    ak.write(program=SLEEPY)
    command = ["run", "program.py", "--event", '{"s": 20}', "--data-dir"]
    running = ak.start(*command, "here")
    assert running.stdout is not None and running.stdout.readline() == "one\n"
    saved = ak("backup", "b.tar.gz", "--data-dir", "here")
    running.send_signal(signal.SIGINT)
    finish(running)

    restored = ak("restore", "b.tar.gz", "--data-dir", "there")
    going_on = ak.start(*command, "there")
    try:
        assert going_on.stderr is not None and going_on.stderr.readline().startswith("Resuming session ses_")
    finally:
        going_on.send_signal(signal.SIGKILL)
        going_on.communicate()

    assert (saved.code, saved.out, restored.code, restored.out) == (0, "", 0, "")
    assert "b.tar.gz: 1 project, 0 deployments, 1 session, 0 events; " in saved.err
    assert "The key is not in it: without" in saved.err and "here/secret-key" in saved.err
    assert restored.err.splitlines()[0].startswith(f"{ak.folder / 'there'}: 1 project, 0 deployments, 1 session")
    assert "There is no key in the backup" in restored.err


def test_beside_a_running_server(ak: Ak) -> None:
    """A backup is taken from it, but nothing is restored into its folder; with the key comes the token, too."""
    server = ak.start("up", "--addr", "127.0.0.1:0", "--data-dir", "data")
    try:
        assert server.stdout is not None and server.stdout.readline().startswith("autokitteh is up at ")
        saved = ak("backup", "b", "--data-dir", "data", "--with-key")
        refused = ak("restore", "b", "--data-dir", "data")
    finally:
        server.send_signal(signal.SIGTERM)
        finish(server)
    restored = ak("restore", "b", "--data-dir", "other")

    assert (saved.code, "key" in saved.err) == (0, False)
    assert refused.code == 42 and "in use by another process" in refused.err
    assert (restored.code, "key" in restored.err) == (0, False)
    for name in ("secret-key", "token", "hash-seed"):
        assert (ak.folder / "other" / name).read_bytes() == (ak.folder / "data" / name).read_bytes()


def test_two_servers_with_one_database_but_two_folders(ak: Ak) -> None:
    """The second refuses, and names the database."""
    url = f"sqlite:///{ak.folder}/shared.db"
    server = ak.start("up", "--addr", "127.0.0.1:0", "--data-dir", "one", "--db", url)
    try:
        assert server.stdout is not None and server.stdout.readline().startswith("autokitteh is up at ")
        second = ak("up", "--addr", "127.0.0.1:0", "--data-dir", "two", "--db", url)
    finally:
        server.send_signal(signal.SIGTERM)
        finish(server)

    assert second.code == 42
    assert second.err.startswith(f"Error: the database {url} is in use by another server\n")


@pytest.mark.parametrize(
    ("command", "code", "said"),
    [
        (["backup", "b", "--data-dir", "nowhere"], 44, "--data-dir"),
        (["backup", "no/such/folder/b", "--data-dir", "used"], 42, "cannot be written"),
        (["backup", "there", "--data-dir", "used"], 42, "--force"),
        (["backup", "b", "--data-dir", "used", "--db", "mysql://x"], 40, "--db mysql://x: it must be sqlite:///PATH"),
        (["restore", "nothing", "--data-dir", "new"], 42, "No such file"),
        (["restore", "there", "--data-dir", "new"], 40, "this is no backup"),
        (["backup"], 2, "Missing argument"),
    ],
)
def test_bad_input_changes_nothing(ak: Ak, command: list[str], code: int, said: str) -> None:
    """A clear message, the exit code for it, and everything as it was."""
    ak.write(fine="def main(event):\n    pass\n")
    assert ak("run", "fine.py", "--data-dir", "used").code == 0
    (ak.folder / "there").write_text("mine")
    before = tree(ak.folder)

    ended = ak(*command)

    assert (ended.code, ended.out) == (code, "")
    assert said in ended.err and "Traceback" not in ended.err
    assert tree(ak.folder) == before


def tree(folder: Path) -> dict[str, int]:
    """The files below a folder with their sizes, but for those that SQLite keeps while a database is open."""
    files = (Path(parent) / name for parent, _, names in os.walk(folder) for name in names)
    return {
        str(path.relative_to(folder)): path.stat().st_size
        for path in files
        if path.suffix not in (".db-wal", ".db-shm")
    }
