"""Every example is run, by the very commands its README shows, and prints what its README says."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
READMES = sorted(ROOT.glob("examples/*/README.md"))


def console_blocks(text: str) -> list[tuple[str, list[str]]]:
    """Commands in fenced blocks marked as `console`, each with the lines shown below it."""
    found = []
    for block in re.findall(r"^```console\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, shown = part.partition("\n")
            found.append((command, shown.splitlines()))
    return found


def test_every_example_has_a_readme_that_shows_a_run() -> None:
    """A folder without a README, or a README without a command, would not be tested below."""
    folders = {path.name for path in (ROOT / "examples").iterdir() if path.is_dir()}

    assert folders == {readme.parent.name for readme in READMES}
    assert all(console_blocks(readme.read_text()) for readme in READMES)


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.parent.name)
def test_example_prints_what_its_readme_says(readme: Path) -> None:
    """The README's commands print just what stands below them, and nothing on the standard error."""
    for command, shown in console_blocks(readme.read_text()):
        words = shlex.split(command)
        assert words[0] == "ak"
        done = subprocess.run(
            [sys.executable, "-m", "autokitteh_server", *words[1:]],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

        assert (done.stdout.splitlines(), done.stderr, done.returncode) == (shown, "", 0)
