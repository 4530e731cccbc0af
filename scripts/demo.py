"""`make run`: shows a durable session going on after its server has been killed."""

import shutil
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / ".demo"
EXAMPLE = "examples/long_running_count"
COUNT = 6


def main() -> int:
    """Run the example, kill it in the middle, run it again. Exit status 0 if the count went on where it was."""
    shutil.rmtree(DATA, ignore_errors=True)
    command = f"ak run {EXAMPLE} --data-dir {DATA.name} --var N={COUNT} --var T=1"
    print(f"{EXAMPLE}/program.py counts and sleeps:\n")
    print(indent((ROOT / EXAMPLE / "program.py").read_text().partition("def ")[2], "def "))
    print(f"$ {command}")
    before = run(command, kill_after=3)
    print("\nKilled with SIGKILL in the middle of a sleep. The same command again:\n")
    print(f"$ {command}")
    after = run(command)
    if before + after != [str(number) for number in range(COUNT)]:
        print(f"\nError: that is not one count: {before + after}", file=sys.stderr)
        return 1
    print("\nThe count went on where it was. What happened, as the session's journal tells it:\n")
    log = f"ak session log last --data-dir {DATA.name}"
    print(f"$ {log}", flush=True)
    run(log)
    print("\nNext: README.md, and docs/tutorial/first-session.md for a project of your own.")
    return 0


def run(command: str, kill_after: int | None = None) -> list[str]:
    """Run an `ak` command and show what it prints; kill it after so many lines. What it printed."""
    words = command.split()
    process = subprocess.Popen([sys.executable, "-m", "autokitteh_server", *words[1:]], cwd=ROOT, stdout=-1, text=True)
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        print(line, end="", flush=True)
        lines.append(line.rstrip("\n"))
        if len(lines) == kill_after:
            process.send_signal(signal.SIGKILL)
            break
    process.wait()
    return lines


def indent(text: str, first: str) -> str:
    """A text moved to the right."""
    return "\n".join(f"    {line}".rstrip() for line in (first + text).splitlines()) + "\n"


if __name__ == "__main__":
    sys.exit(main())
