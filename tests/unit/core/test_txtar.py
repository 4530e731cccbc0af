"""The txtar format."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autokitteh_server.core.errors import InvalidArgument
from autokitteh_server.core.txtar import Archive, parse_txtar, render_txtar

# Every name has a suffix and no directory has one, so that no path is both.
PATHS = st.lists(st.from_regex(r"[a-zA-Z0-9_-]{1,4}", fullmatch=True), min_size=1, max_size=3).map(
    lambda parts: "/".join(parts) + ".txt"
)
LINES = st.one_of(
    st.binary(max_size=20).map(lambda line: line.replace(b"\n", b"")),
    st.sampled_from([b"-- a", b"a --", b"--a --", b" -- a --", b"-- a -- ", b"-- --", b"\r", b"-- a --\r\r"]),
).filter(lambda line: not (line.startswith(b"-- ") and line.removesuffix(b"\r").endswith(b" --") and len(line) > 5))
CONTENTS = st.lists(LINES, max_size=4).map(lambda lines: b"".join(line + b"\n" for line in lines))
ARCHIVES = st.builds(Archive, st.dictionaries(PATHS, CONTENTS, max_size=5), CONTENTS)


@given(ARCHIVES)
def test_archives_survive_being_written(archive: Archive) -> None:
    """An archive read from its own text is the same, comment and order included."""
    again = parse_txtar(render_txtar(archive))
    assert again == archive
    assert list(again.files) == list(archive.files)


@given(st.binary(max_size=200))
def test_any_bytes_are_read_or_refused(data: bytes) -> None:
    """No input makes the reader fail in a way of its own, and what it reads can be written."""
    try:
        archive = parse_txtar(data)
    except InvalidArgument:
        return
    assert parse_txtar(render_txtar(archive)) == archive


def test_parts_of_an_archive() -> None:
    """Comment, files and blank lines are where they belong; names are stripped."""
    archive = parse_txtar(b"for you\n\n--  a.py  --\nx = 1\n\n-- b/c --\n-- d --\nend")
    assert archive == Archive({"a.py": b"x = 1\n\n", "b/c": b"", "d": b"end\n"}, b"for you\n\n")


def test_windows_line_ends() -> None:
    """Markers may end as on Windows; contents keep their line ends."""
    assert parse_txtar(b"-- a --\r\nx\r\n").files == {"a": b"x\r\n"}


def test_no_files() -> None:
    """A text without markers is all comment."""
    assert parse_txtar(b"hello") == Archive({}, b"hello\n")
    assert parse_txtar(b"") == Archive()


@pytest.mark.parametrize(
    "name", [b"..", b"../a", b"/a", b"a/../../b", b"a\\b", b"C:a", b"a\0b", b"", b"  ", b"\xff", b"./a", b"a//b"]
)
def test_unsafe_paths(name: bytes) -> None:
    """A path that could lead out of a directory is refused, with file and line."""
    with pytest.raises(InvalidArgument, match=r"^x\.txtar:3: the path"):
        parse_txtar(b"-- ok --\n\n-- " + name + b" --\n", "x.txtar")


def test_a_path_that_comes_twice() -> None:
    """Two files of one name are refused at the second one's line."""
    with pytest.raises(InvalidArgument, match=r":3: the path comes twice: 'a'"):
        parse_txtar(b"-- a --\n1\n-- a --\n2\n")


def test_a_path_that_is_a_directory_too() -> None:
    """What could not be unpacked is refused."""
    with pytest.raises(InvalidArgument, match="both a file and a directory: 'a'"):
        parse_txtar(b"-- a/b --\n-- a --\n")


def test_content_that_looks_like_a_marker() -> None:
    """Content that would be read as another file is not written."""
    with pytest.raises(InvalidArgument, match=r"^a:2: "):
        render_txtar(Archive({"a": b"x\n-- b --\n"}))


@pytest.mark.parametrize("files", [{"": b""}, {"../a": b""}, {"a\nb": b""}, {"a": b"", "a/b": b""}])
def test_unsafe_paths_are_not_written(files: dict[str, bytes]) -> None:
    """What could not be read back is not written."""
    with pytest.raises(InvalidArgument):
        render_txtar(Archive(files))
