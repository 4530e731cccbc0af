"""Reading a project's directory."""

import os
from pathlib import Path

import pytest

from autokitteh_server.builds import bounds
from autokitteh_server.builds.directory import is_ignored, parse_ignore_rules, read_directory
from autokitteh_server.core.errors import InvalidArgument


def write(root: Path, *paths: str) -> None:
    """Make files, each with its own path as content."""
    for path in paths:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(path)


def test_files_by_path(tmp_path: Path) -> None:
    """All files are there, by relative path, sorted, with their contents; empty directories are not."""
    write(tmp_path, "z.py", "a/b/c.txt", "a.py", ".env")
    (tmp_path / "empty").mkdir()
    files = read_directory(tmp_path)
    assert list(files) == [".env", "a.py", "a/b/c.txt", "z.py"]
    assert files["a/b/c.txt"] == b"a/b/c.txt"


def test_what_tools_leave_is_left_out(tmp_path: Path) -> None:
    """Caches, version control and virtual environments of any name are no part of a project."""
    write(tmp_path, "a.py", ".git/config", "x/__pycache__/a.pyc", "b.pyc", "node_modules/m/i.js", ".mypy_cache/c")
    write(tmp_path, "my env/pyvenv.cfg", "my env/lib/x.py", ".venv/x.py", "a.py~")
    assert list(read_directory(tmp_path)) == ["a.py"]


def test_ignore_file(tmp_path: Path) -> None:
    """Lines of the ignore file leave out more, or take back; below an ignored directory nothing is looked at."""
    write(tmp_path, "a.py", "data/big.bin", "docs/a.md", "docs/a.py", "secret.txt", "sub/secret.txt", "keep.pyc")
    (tmp_path / ".akignore").write_text("# what is not code\n\ndata/\ndocs/*.md\nsecret.txt\n!sub/secret.txt\n!*.pyc\n")
    (tmp_path / "data" / "loop").symlink_to("loop")
    assert list(read_directory(tmp_path)) == [".akignore", "a.py", "docs/a.py", "keep.pyc", "sub/secret.txt"]


@pytest.mark.parametrize(
    ("rule", "path", "is_directory", "ignored"),
    [
        ("*.log", "a/b.log", False, True),
        ("logs/", "a/logs", True, True),
        ("logs/", "a/logs", False, False),
        ("/logs", "logs", False, True),
        ("/logs", "a/logs", False, False),
        ("a/*.log", "a/b.log", False, True),
        ("a/*.log", "c/a/b.log", False, False),
        ("*.LOG", "b.log", False, False),
        ("[ab].py", "a.py", False, True),
        ("/", "a", False, False),
        ("!", "a", False, False),
        ("#a", "#a", False, False),
    ],
)
def test_ignore_rules(rule: str, path: str, is_directory: bool, ignored: bool) -> None:
    """A rule matches names anywhere, or whole paths if it has a slash, or directories only if it ends in one."""
    assert is_ignored(path, parse_ignore_rules(rule), is_directory=is_directory) is ignored


def test_links_inside_are_followed(tmp_path: Path) -> None:
    """A link to a file or directory of the project is that file or directory, once more."""
    write(tmp_path, "lib/a.py")
    (tmp_path / "b.py").symlink_to("lib/a.py")
    (tmp_path / "more").symlink_to("lib")
    assert read_directory(tmp_path) == dict.fromkeys(["b.py", "lib/a.py", "more/a.py"], b"lib/a.py")


@pytest.mark.parametrize(
    ("target", "said"),
    [("../outside.txt", "out of the project"), ("/etc/passwd", "out of the project"), ("..", "out of the project")]
    + [("nowhere", "leads nowhere"), ("link", "leads nowhere"), (".", "in a circle")],
)
def test_links_that_lead_astray(tmp_path: Path, target: str, said: str) -> None:
    """A link that leads outside, nowhere or in a circle is refused, with its path and what to do."""
    project = tmp_path / "project"
    project.mkdir()
    write(tmp_path, "outside.txt")
    (project / "link").symlink_to(target)
    with pytest.raises(InvalidArgument, match=said) as caught:
        read_directory(project)
    assert str(project / "link") in caught.value.message
    assert ".akignore" in caught.value.remedy


def test_circle_of_two_links(tmp_path: Path) -> None:
    """Two directories that link to each other end the walk, not the machine."""
    write(tmp_path, "a/x", "b/x")
    (tmp_path / "a" / "to_b").symlink_to(tmp_path / "b")
    (tmp_path / "b" / "to_a").symlink_to(tmp_path / "a")
    with pytest.raises(InvalidArgument, match="in a circle"):
        read_directory(tmp_path)


def test_a_directory_behind_a_link(tmp_path: Path) -> None:
    """The project itself may be reached by a link."""
    write(tmp_path, "real/a.py")
    (tmp_path / "link").symlink_to("real")
    assert list(read_directory(tmp_path / "link")) == ["a.py"]


def test_pipes_are_left_out(tmp_path: Path) -> None:
    """What is no file is not waited for."""
    os.mkfifo(tmp_path / "pipe")
    assert read_directory(tmp_path) == {}


@pytest.mark.parametrize("name", ["a\\b.py", "a\nb.py", " a.py", "c:a.py"])
def test_names_that_do_not_travel(tmp_path: Path, name: str) -> None:
    """A name that reads differently elsewhere is refused, with what to do."""
    (tmp_path / name).touch()
    with pytest.raises(InvalidArgument, match="Rename it"):
        read_directory(tmp_path)


def test_too_many_bytes(tmp_path: Path) -> None:
    """A project beyond the bound is refused before it is read; the file is sparse, and takes no room."""
    with (tmp_path / "big").open("wb") as big:
        big.truncate(bounds.MAX_TOTAL_BYTES + 1)
    with pytest.raises(InvalidArgument, match="more than 100,000,000 bytes"):
        read_directory(tmp_path)


@pytest.mark.slow
def test_too_many_files(tmp_path: Path) -> None:
    """A project with more files than the bound is refused."""
    for number in range(bounds.MAX_FILES + 1):
        (tmp_path / str(number)).touch()
    with pytest.raises(InvalidArgument, match="more than 10,000 files"):
        read_directory(tmp_path)
