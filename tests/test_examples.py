"""Every example is run, by the very commands its README shows, and prints what its README says."""

from pathlib import Path

import pytest

from fenced import Terminal, find_blocks, find_commands

ROOT = Path(__file__).parent.parent
READMES = sorted(ROOT.glob("examples/*/README.md"))


def test_every_example_has_a_readme_that_shows_a_run() -> None:
    """A folder without a README, or a README without a command, would not be tested below."""
    folders = {path.name for path in (ROOT / "examples").iterdir() if path.is_dir()}

    assert folders == {readme.parent.name for readme in READMES}
    # Those that need a service show commands that cannot be followed here; tests/examples runs them with a stand-in.
    assert all({"console", "sh"} & {block.language for block in find_blocks(readme.read_text())} for readme in READMES)


@pytest.mark.parametrize("readme", READMES, ids=lambda path: path.parent.name)
def test_example_prints_what_its_readme_says(readme: Path, tmp_path: Path) -> None:
    """The README's commands print just what stands below them, and nothing else on either stream."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    with Terminal(tmp_path) as terminal:
        for block in find_blocks(readme.read_text()):
            if block.language == "console":
                for command in find_commands(block):
                    terminal.run(command)
