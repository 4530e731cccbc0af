"""Every fenced block of every page holds what it says: programs run, commands print what is shown, options exist."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from autokitteh_server.core.manifest_parse import parse_manifest
from autokitteh_server.core.txtar import parse_txtar
from docs.commands import all_commands, option_names
from fenced import PATIENCE_S, Block, Terminal, find_blocks, find_commands

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted([ROOT / "README.md", ROOT / "CHANGELOG.md", *ROOT.glob("docs/**/*.md")])

#: Languages of fences. What is `text` nobody can check.
LANGUAGES = {"python", "yaml", "txtar", "json", "console", "sh", "text"}

#: A page about PostgreSQL shows commands that need one.
POSTGRES_PAGE = ROOT / "docs/howto/postgresql.md"


def name_of(page: Path) -> str:
    """A page's path in the repository."""
    return str(page.relative_to(ROOT))


def pages_with(*languages: str) -> list[Path]:
    """The pages that have such blocks."""
    return [page for page in PAGES if any(b.language in languages for b in find_blocks(page.read_text()))]


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_every_fence_has_a_language_that_is_checked(page: Path) -> None:
    """A fence of another language, or of none, would be checked by nobody."""
    text = page.read_text()
    blocks = find_blocks(text)

    assert {block.language for block in blocks} <= LANGUAGES
    assert text.count("\n```") + text.startswith("```") == 2 * len(blocks), "a fence is not closed, or is indented"


FOLLOWED = [page for page in pages_with("console", "python", "yaml", "txtar", "json") if page != POSTGRES_PAGE]


@pytest.mark.parametrize("page", FOLLOWED, ids=name_of)
def test_page_does_what_it_says(page: Path, tmp_path: Path) -> None:
    """A page's blocks, taken in order in a folder of their own, are as a reader who follows it finds them."""
    with Terminal(tmp_path) as terminal:
        follow(page, tmp_path, terminal)


@pytest.mark.postgres
def test_postgresql_page_does_what_it_says(tmp_path: Path, postgres_url: str) -> None:
    """The page about PostgreSQL is followed with AK_DB set, as it tells the reader to do."""
    with Terminal(tmp_path, AK_DB=postgres_url) as terminal:
        follow(POSTGRES_PAGE, tmp_path, terminal)


@pytest.fixture
def postgres_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of an empty PostgreSQL database."""
    cluster = request.getfixturevalue("postgres_cluster")
    yield cluster.url(cluster.create_database())


@pytest.mark.parametrize("page", pages_with("sh"), ids=name_of)
def test_options_of_commands_that_are_not_run_exist(page: Path) -> None:
    """Commands in `sh` blocks, which cannot be run here, name commands and options that `ak --help` knows."""
    for block in find_blocks(page.read_text()):
        if block.language == "sh":
            for line in block.text.replace("\\\n", "").splitlines():
                check_command_line(line.partition("#")[0])


def check_command_line(line: str) -> None:
    """Fails if a line calls `ak` with a command or option that there is not."""
    words = line.split()
    while words and "=" in words[0] and not words[0].startswith("-"):
        words.pop(0)
    if not words or words[0] not in ("ak", ".venv/bin/ak"):
        return
    commands = all_commands()
    path: tuple[str, ...] = ()
    while words[len(path) + 1 :] and (*path, words[len(path) + 1]) in commands:
        path = (*path, words[len(path) + 1])
    assert path, f"{line}: there is no such command"
    given = {word.partition("=")[0] for word in words if word.startswith("-")}
    assert given <= option_names(commands[path]), line


def follow(page: Path, folder: Path, terminal: Terminal) -> None:
    """Do in a folder what a page shows. Fails where something else comes of it."""
    (folder / "examples").symlink_to(ROOT / "examples")
    for block in find_blocks(page.read_text()):
        where = f"{name_of(page)}:{block.line}"
        if block.file_name:
            file = folder / block.file_name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(block.text)
        if block.language == "console":
            for command in find_commands(block):
                terminal.run(command)
        elif block.language == "python" and block.file_name:
            compile(block.text, where, "exec")
        elif block.language == "python":
            run_python(block, folder, where)
        elif block.language == "yaml":
            parse_manifest(block.text.encode(), where)
        elif block.language == "txtar":
            files = parse_txtar(block.text.encode(), where).files
            assert files, where
            for path, content in files.items():
                if path.endswith(".py"):
                    compile(content, f"{where}: {path}", "exec")
        elif block.language == "json":
            read_json(block.text)


def run_python(block: Block, folder: Path, where: str) -> None:
    """Run a block as a program of its own."""
    done = subprocess.run(
        [sys.executable, "-c", block.text],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(folder)},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )
    assert done.returncode == 0, f"{where}\n{done.stderr}"


def read_json(text: str) -> None:
    """Read one JSON value, or one a line. Raises ValueError."""
    try:
        json.loads(text)
    except json.JSONDecodeError:
        for line in text.splitlines():
            json.loads(line)
