"""Sealing texts, and where the keys come from."""

import stat
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autokitteh_server.core.errors import FailedPrecondition, InvalidArgument
from autokitteh_server.core.masking import Masker
from autokitteh_server.secretbox.box import KEY_BYTES, Box, CannotOpen, key_id, key_id_of
from autokitteh_server.secretbox.keyring import open_keyring
from autokitteh_server.secretbox.keys import parse_keys, read_key_file, render_key

OLD, NEW = b"o" * KEY_BYTES, b"n" * KEY_BYTES
TEXTS = st.text(max_size=50)


@given(TEXTS, TEXTS.filter(lambda text: "\0" not in text))
def test_what_is_sealed_can_be_opened(text: str, name: str) -> None:
    """Any text survives, and its name and owner may be anything."""
    box = Box([NEW])
    assert box.open(box.seal(text, owner_id="prj_1", name=name), owner_id="prj_1", name=name) == text


def test_equal_texts_do_not_look_equal() -> None:
    """A sealed text tells nothing but its key and its length."""
    box = Box([NEW])
    first, second = (box.seal("hunter2", owner_id="prj_1", name="PASSWORD") for _ in range(2))
    assert first != second
    assert "hunter2" not in first


@pytest.mark.parametrize(("owner_id", "name"), [("prj_2", "A"), ("prj_1", "B"), ("prj_", "1A")])
def test_a_secret_cannot_be_moved(owner_id: str, name: str) -> None:
    """What was sealed for one var is not opened as another's, though whoever moves it can write to the database."""
    box = Box([NEW])
    with pytest.raises(CannotOpen, match="damaged"):
        box.open(box.seal("x", owner_id="prj_1", name="A"), owner_id=owner_id, name=name)


def test_every_changed_character_is_noticed() -> None:
    """There is no part of a sealed text that may be changed."""
    box = Box([NEW], random_bytes=bytes)
    sealed = box.seal("text", owner_id="prj_1", name="A")
    for at, letter in enumerate(sealed):
        changed = sealed[:at] + ("A" if letter != "A" else "B") + sealed[at + 1 :]
        with pytest.raises(CannotOpen):
            box.open(changed, owner_id="prj_1", name="A")


@pytest.mark.parametrize("text", ["", "plain", "ak1", "ak1.", "ak1..", f"ak1.{key_id(NEW)}.", f"ak1.{key_id(NEW)}.é"])
def test_what_was_never_sealed_is_refused(text: str) -> None:
    """No text makes it fail otherwise than with its own error."""
    with pytest.raises(CannotOpen):
        Box([NEW]).open(text, owner_id="prj_1", name="A")


def test_older_keys_still_open() -> None:
    """The first key seals, and what another one sealed is opened as long as that is there."""
    earlier = Box([OLD]).seal("x", owner_id="prj_1", name="A")
    box = Box([NEW, OLD])
    assert box.open(earlier, owner_id="prj_1", name="A") == "x"
    assert key_id_of(box.seal("y", owner_id="prj_1", name="A")) == box.key_id == key_id(NEW)


def test_a_wrong_key_is_named() -> None:
    """Who gave the server another key learns which one is missing, and which one there is."""
    sealed = Box([OLD]).seal("x", owner_id="prj_1", name="TOKEN")
    with pytest.raises(CannotOpen, match=rf"TOKEN.*{key_id(OLD)}.*(?s:.*){key_id(NEW)}"):
        Box([NEW]).open(sealed, owner_id="prj_1", name="TOKEN")


def test_a_box_shows_no_key() -> None:
    """Reprs end up in logs."""
    assert "nnn" not in repr(Box([NEW]))


def test_a_first_key_is_made_and_saved_when_that_is_wanted(tmp_path: Path) -> None:
    """The file is its owner's alone, and the second start finds the same key."""
    path = tmp_path / "secret-key"
    first = open_keyring(path)
    assert not first.is_saved and not path.exists()
    first.save()
    second = open_keyring(path)
    assert second.is_saved and second.key_ids == first.key_ids == [first.box.key_id]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == ["secret-key"]
    assert open_keyring(tmp_path / "other").key_ids != first.key_ids


def test_given_keys_need_no_file(tmp_path: Path) -> None:
    """The environment comes first, then the file it names, and nothing is written."""
    file = tmp_path / "mounted"
    file.write_text(f"# of 2026\n{render_key(NEW)}\n# before\n{render_key(OLD)}\n")
    path = tmp_path / "secret-key"
    given = open_keyring(path, f"{render_key(OLD)}, {render_key(NEW).rstrip('=')}", given_where="HERE")
    assert (given.key_ids, given.where, given.file) == ([key_id(OLD), key_id(NEW)], "HERE", None)
    named = open_keyring(path, given_file=file)
    assert (named.key_ids, named.where, named.file) == ([key_id(NEW), key_id(OLD)], str(file), file)
    assert not path.exists()


def test_a_new_key_is_in_the_file_before_it_seals(tmp_path: Path) -> None:
    """In front of the others, through a link; the old ones leave the file, and the box opens with them all the same."""
    path, link = tmp_path / "real", tmp_path / "link"
    path.write_text(f"{render_key(OLD)}\n")
    link.symlink_to(path)
    ring = open_keyring(link, random_bytes=lambda count: NEW[:count])
    sealed = ring.box.seal("x", owner_id="prj_1", name="A")
    with ring.changing():
        ring.add_key()
        assert read_key_file(path) == [NEW, OLD] and ring.key_ids == [key_id(NEW), key_id(OLD)]
        assert key_id_of(ring.box.seal("y", owner_id="prj_1", name="A")) == key_id(NEW)
        ring.retire([key_id(OLD)])
    assert read_key_file(path) == [NEW] and ring.key_ids == [key_id(NEW)]
    assert link.is_symlink() and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert ring.box.open(sealed, owner_id="prj_1", name="A") == "x"


def test_a_key_file_that_has_changed_is_left_alone(tmp_path: Path) -> None:
    """Another first key than the server's is somebody's doing; one put behind it by hand is kept."""
    path = tmp_path / "secret-key"
    path.write_text(f"{render_key(OLD)}\n")
    ring = open_keyring(path)
    path.write_text(f"{render_key(NEW)}\n")
    with pytest.raises(FailedPrecondition, match=rf"first key in it is not {key_id(OLD)}(?s:.*)Restart"):
        ring.add_key()
    assert read_key_file(path) == [NEW]
    path.write_text(f"{render_key(OLD)}\n{render_key(NEW)}\n")
    ring.add_key()
    assert read_key_file(path)[1:] == [OLD, NEW]


def test_one_at_a_time_changes_keys(tmp_path: Path) -> None:
    """The second is told so at once."""
    ring = open_keyring(tmp_path / "secret-key")
    with ring.changing(), pytest.raises(FailedPrecondition, match="already"), ring.changing():
        pass
    with ring.changing():
        pass


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "no key"),
        ("# only a comment\n", "no key"),
        ("pass word", "key 1"),
        ("c2hvcnQ=", "5 bytes"),
        ("ü", "base64"),
    ],
)
def test_what_is_no_key_is_refused(text: str, problem: str) -> None:
    """The message says where and what, tells how to make one, and does not show what was given."""
    with pytest.raises(InvalidArgument, match=f"HERE.*{problem}(?s:.*)urandom") as caught:
        parse_keys(text, "HERE")
    assert "c2hvcnQ" not in str(caught.value)


def test_a_key_file_that_cannot_be_used(tmp_path: Path) -> None:
    """A missing file that was named is an error: a new key in its place would open nothing."""
    with pytest.raises(FailedPrecondition, match="missing"):
        open_keyring(tmp_path / "secret-key", given_file=tmp_path / "missing")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    with pytest.raises(InvalidArgument, match="not text"):
        open_keyring(tmp_path / "binary")


def test_what_is_sealed_or_opened_is_masked_from_then_on() -> None:
    """The log's masker learns of secrets where they pass, so that nobody has to think of it."""
    first, second = Masker(), Masker()
    sealed = Box([b"k" * 32], secrets=first).seal("hunter2", owner_id="prj_1", name="X")
    Box([b"k" * 32], secrets=second).open(sealed, owner_id="prj_1", name="X")

    assert first.mask("is hunter2") == second.mask("is hunter2") == "is ***"
