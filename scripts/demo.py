"""`make run`: shows a server that is killed in the middle of a session, and the next one going on with it."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from urllib.request import ProxyHandler, build_opener

ROOT = Path(__file__).resolve().parent.parent
PROJECT = "long_running_count"
COUNT = 5


def main() -> int:
    """Deploy the example, kill its server, start another one. Exit status 0 if the count went on where it was."""
    folder = Path(mkdtemp(prefix="autokitteh-demo-"))
    try:
        done = Demo(folder).show()
    finally:
        shutil.rmtree(folder)
    if not done:
        print("\nError: that is not one count, told once", file=sys.stderr)
        return 1
    print(
        "\nThe count went on where it was: nothing is lost, nothing is done twice. Now for yourself:\n\n"
        "    .venv/bin/ak up                      the server; Ctrl-C ends it\n"
        f"    .venv/bin/ak deploy examples/{PROJECT}\n\n"
        "docs/tutorial/first-project.md takes it from there."
    )
    return 0


class Demo:
    """Commands in a folder that is thrown away, shown with what they print."""

    def __init__(self, folder: Path) -> None:
        # Nothing of a server that runs here already is to be touched.
        own = {name: value for name, value in os.environ.items() if not name.startswith("AK_")}
        self._environ = own | {"AK_DATA_DIR": str(folder / "data"), "XDG_CONFIG_HOME": str(folder / "config")}
        self._environ["AK_HTTP__ADDR"] = "127.0.0.1:0"

    def show(self) -> bool:
        """All of it. Whether the session did what it should."""
        print(f"examples/{PROJECT}/program.py counts and sleeps. Start a server, and deploy it:\n")
        with self._server():
            self._ak(f"deploy examples/{PROJECT}")
            self._ak(f"var set {PROJECT} N {COUNT}")
            print("\nThe example has a webhook. Send it something, and follow the session:\n")
            url = self._ak(f"trigger url {PROJECT}/webhook").strip()
            print(f"$ curl {url}", flush=True)
            build_opener(ProxyHandler({})).open(url).close()  # the server is here, whatever proxy there may be
            before = self._ak("session watch", until=f"print +{COUNT // 2}$")
            print("\nKill the server in the middle of a sleep, and start another one:\n\n$ kill -9 ...")
        with self._server():
            print()
            after = self._ak("session watch")
        return _numbers(before) == list(range(COUNT // 2 + 1)) and _numbers(after) == list(range(COUNT))

    @contextmanager
    def _server(self) -> Iterator[None]:
        print("$ ak up &", flush=True)
        with self._start("up", stderr=subprocess.DEVNULL) as server:
            try:
                assert server.stdout is not None
                print(server.stdout.readline(), flush=True)
                yield
            finally:
                server.send_signal(signal.SIGKILL)

    def _ak(self, command: str, until: str = "") -> str:
        """Run a command, to its end or up to a line of this pattern; what it printed."""
        print(f"$ ak {command}", flush=True)
        printed = ""
        with self._start(*command.split(), stderr=None) as process:
            assert process.stdout is not None
            for line in process.stdout:
                print(line, end="", flush=True)
                printed += line
                if until and re.search(until, line):
                    process.terminate()
                    break
        return printed

    def _start(self, *words: str, stderr: int | None) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "autokitteh_server", *words]
        return subprocess.Popen(command, cwd=ROOT, env=self._environ, stdout=-1, stderr=stderr, text=True)


def _numbers(log: str) -> list[int]:
    """What a session has counted, by its log."""
    return [int(number) for number in re.findall(r"print +(\d+)$", log, re.MULTILINE)]


if __name__ == "__main__":
    sys.exit(main())
