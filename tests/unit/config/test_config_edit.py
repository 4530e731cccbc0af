"""Changing a setting in the file leaves everything else as it was."""

import stat
from pathlib import Path
from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autokitteh_server.config_edit import set_in_file
from autokitteh_server.config_file import read_file
from autokitteh_server.config_load import ConfigError
from autokitteh_server.config_table import table
from autokitteh_server.core.errors import FailedPrecondition, InvalidArgument


def changed(tmp_path: Path, before: str, key: str, value: str) -> str:
    """What a file says after a change."""
    path = tmp_path / "config.yaml"
    path.write_text(dedent(before))
    set_in_file(path, table()[key], value)
    return path.read_text()


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "http:\n  addr: x:1\n"),
        ("# mine\n", "# mine\nhttp:\n  addr: x:1\n"),
        ("max_warm: 1", "max_warm: 1\nhttp:\n  addr: x:1\n"),
        ("http:\n", "http:\n  addr: x:1\n"),
        ("http:   # later\n", "http:\n  addr: x:1   # later\n"),
        ("http:\n  addr: y:2  # old\nmax_warm: 1\n", "http:\n  addr: x:1  # old\nmax_warm: 1\n"),
        ("http:\n  addr:   'y:2'\n", "http:\n  addr:   x:1\n"),
        ("http:\n  addr: >-\n    y:2\nmax_warm: 1\n", None),
        (
            "http:\n    # comment\n    sync_timeout_s: 5\nmax_warm: 1\n",
            "http:\n    # comment\n    addr: x:1\n    sync_timeout_s: 5\nmax_warm: 1\n",
        ),
        ("http: {addr: y:2}\n", "http: {addr: x:1}\n"),
    ],
)
def test_layout_and_comments_stay(tmp_path: Path, before: str, after: str | None) -> None:
    """Only the value changes, or a line is added."""
    found = changed(tmp_path, before, "http.addr", "x:1")

    if after is not None:
        assert found == after
    (value,) = (each.value for each in read_file(found.encode(), "")[0] if each.option.key == "http.addr")
    assert value == "x:1"


def test_a_list_is_replaced_whole(tmp_path: Path) -> None:
    """What comes behind it stays."""
    before = "http:\n  allowed_hosts:\n  - a\n  - b\n  # about addr\n  addr: x:1\n"

    after = changed(tmp_path, before, "http.allowed_hosts", "c, d")

    assert after == 'http:\n  allowed_hosts: "c, d"\n  # about addr\n  addr: x:1\n'


@pytest.mark.parametrize(
    ("before", "key", "value"),
    [
        ("{max_warm: 1}\n", "http.addr", "x:1"),
        ("max_failures: &n 2\nmax_warm: *n\n", "max_failures", "3"),
        ("max_warm: 1\n...\n", "http.addr", "x:1"),
    ],
)
def test_what_cannot_be_changed_safely_is_left_to_people(tmp_path: Path, before: str, key: str, value: str) -> None:
    """The file stays as it is, and the message says to edit it by hand."""
    with pytest.raises(FailedPrecondition, match="by hand"):
        changed(tmp_path, before, key, value)

    assert (tmp_path / "config.yaml").read_text() == before


def test_a_value_that_cannot_be_used_changes_nothing(tmp_path: Path) -> None:
    """It is refused before the file is touched, and a secret is not repeated."""
    path = tmp_path / "config.yaml"
    with pytest.raises(InvalidArgument, match="max_warm 'x': it must be a whole number"):
        set_in_file(path, table()["max_warm"], "x")
    assert not path.exists()


def test_a_file_that_is_wrong_already_is_not_touched(tmp_path: Path) -> None:
    """Its own problems come first."""
    with pytest.raises(ConfigError, match="max_warmth"):
        changed(tmp_path, "max_warmth: 1\n", "max_warm", "1")
    assert (tmp_path / "config.yaml").read_text() == "max_warmth: 1\n"


def test_a_new_file_is_private_and_an_old_one_keeps_its_mode(tmp_path: Path) -> None:
    """Its folder is made as well; a link stays one; nothing else is left there."""
    path, link = tmp_path / "new" / "config.yaml", tmp_path / "link.yaml"
    set_in_file(path, table()["db"], "sqlite:////k")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600

    path.chmod(0o640)
    link.symlink_to(path)
    set_in_file(link, table()["max_warm"], "1")

    assert link.is_symlink() and path.read_text() == "db: sqlite:////k\nmax_warm: 1\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    assert [each.name for each in path.parent.iterdir()] == ["config.yaml"]


CHANGES = st.one_of(
    st.tuples(
        st.just("db"),
        st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"])).map("sqlite:////".__add__),
    ),
    st.tuples(st.sampled_from(["max_warm", "http.webhook_body_bytes"]), st.integers(1, 10**6).map(str)),
    st.tuples(st.sampled_from(["limits.warn_after_s", "retention.events_days"]), st.floats(0, 1e6).map(str)),
    st.tuples(st.just("http.allowed_hosts"), st.lists(st.sampled_from(["a", "b.c", "[::1]"])).map(", ".join)),
    st.tuples(st.just("durable"), st.sampled_from(["true", "No", "1"])),
)


@given(st.lists(CHANGES, max_size=8))
def test_any_changes_in_any_order_can_be_read_back(
    tmp_path_factory: pytest.TempPathFactory, changes: list[tuple[str, str]]
) -> None:
    """The file says at last of each setting what was said last, and keeps a comment in it."""
    path = tmp_path_factory.mktemp("edit") / "config.yaml"
    path.write_text("# head\nmax_failures: 7  # tail\n")
    for key, value in changes:
        set_in_file(path, table()[key], value)

    found, problems = read_file(path.read_bytes(), "")

    assert problems == []
    wanted = {key: table()[key].kind.parse(value) for key, value in changes} | {"max_failures": 7}
    assert {each.option.key: each.value for each in found} == wanted
    assert path.read_text().startswith("# head\nmax_failures: 7  # tail\n")
