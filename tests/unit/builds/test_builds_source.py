"""Loading what a person points at as a project."""

import hashlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autokitteh_server.builds.source import digest, load_source
from autokitteh_server.core.errors import FailedPrecondition, InvalidArgument, NotFound
from autokitteh_server.core.manifest_problems import ManifestError

MANIFEST = "version: v2\nproject:\n  name: from_manifest\n"
FILES = st.dictionaries(st.text("ab/1 \n", max_size=4), st.binary(max_size=6), max_size=4)


def test_a_directory(tmp_path: Path) -> None:
    """A directory has its files, its manifest and the manifest's name."""
    (tmp_path / "program.py").write_bytes(b"x = 1\n")
    (tmp_path / "autokitteh.yaml").write_text(MANIFEST)
    source = load_source(tmp_path)
    assert source.files == {"autokitteh.yaml": MANIFEST.encode(), "program.py": b"x = 1\n"}
    assert source.name == "from_manifest"
    assert source.manifest_path == "autokitteh.yaml"
    assert source.manifest is not None


def test_a_directory_without_manifest(tmp_path: Path) -> None:
    """Without a manifest, the project is named after its directory, in letters that a name may have."""
    project = tmp_path / "1-my app"
    project.mkdir()
    source = load_source(project)
    assert (source.name, source.manifest, source.manifest_path) == ("_1_my_app", None, None)


@pytest.mark.parametrize("name", ["autokitteh.yml", "manifest.yaml"])
def test_other_names_of_manifests(tmp_path: Path, name: str) -> None:
    """A manifest is found by its other names too, unless there is one of the first name."""
    (tmp_path / name).write_text(MANIFEST)
    assert load_source(tmp_path).manifest_path == name
    (tmp_path / "autokitteh.yaml").write_text(MANIFEST)
    assert load_source(tmp_path).manifest_path == "autokitteh.yaml"


def test_a_python_file(tmp_path: Path) -> None:
    """A file of Python is a project of that file alone, whatever its encoding and its neighbours."""
    content = b"# -*- coding: latin-1 -*-\nx = '\xfc'\n"
    (tmp_path / "hello-world.py").write_bytes(content)
    (tmp_path / "autokitteh.yaml").write_text("broken: [")
    source = load_source(tmp_path / "hello-world.py")
    assert (source.name, source.files, source.manifest) == ("hello_world", {"hello-world.py": content}, None)


def test_an_archive(tmp_path: Path) -> None:
    """An archive is a project of the files in it."""
    archive = tmp_path / "a.txtar"
    archive.write_text(f"hello\n-- z.py --\nx = 1\n-- autokitteh.yaml --\n{MANIFEST}")
    source = load_source(archive)
    assert list(source.files) == ["autokitteh.yaml", "z.py"]
    assert (source.name, source.manifest_path) == ("from_manifest", "autokitteh.yaml")


def test_problems_of_manifests_name_the_file(tmp_path: Path) -> None:
    """A bad manifest's problems are told with the path that a person can open."""
    (tmp_path / "autokitteh.yaml").write_text("version: v2\n")
    with pytest.raises(ManifestError) as caught:
        load_source(tmp_path)
    assert str(caught.value).startswith(f"{tmp_path / 'autokitteh.yaml'}:1:1: project: ")


def test_nothing_there(tmp_path: Path) -> None:
    """A missing target is not found: what, where and what else to give."""
    with pytest.raises(NotFound) as caught:
        load_source(tmp_path / "nope")
    assert caught.value.exit_code == 44
    assert str(tmp_path / "nope") in caught.value.message
    assert ".txtar" in caught.value.remedy


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.txt", "x", "Give a project's directory"),
        ("autokitteh.yaml", MANIFEST, "Give its directory, "),
        ("empty.txtar", "only a comment\n", "Start each with a line"),
        ("bad.txtar", "-- ../a --\n", "bad.txtar:1: the path leads out"),
        ("deep.txtar", f"-- {'a/' * 60}a --\n", "deep.txtar:1: the path has more than 50 parts"),
        ("many.txtar", "".join(f"-- {n} --\n" for n in range(10_001)), "more than 10,000 files"),
        ("twice.txtar", "-- A.py --\n-- a.py --\n", "one and the same on some machines"),
    ],
)
def test_what_is_no_project(tmp_path: Path, name: str, content: str, said: str) -> None:
    """A file that is no project is refused, with what to give instead."""
    (tmp_path / name).write_text(content)
    with pytest.raises(InvalidArgument) as caught:
        load_source(tmp_path / name)
    assert said in str(caught.value)


@given(FILES, FILES)
def test_digests_tell_files_apart(one: dict[str, bytes], other: dict[str, bytes]) -> None:
    """Digests are equal exactly if the files are, whatever their order."""
    assert (digest(one) == digest(other)) is (one == other)
    assert digest(dict(reversed(one.items()))) == digest(one)


def test_digest_is_not_fooled_by_where_a_text_ends() -> None:
    """What moves from a path to a content, or to the next file, is a difference."""
    assert digest({"a": b"bc"}) != digest({"ab": b"c"})
    assert digest({"a": b"1 1\nbx"}) != digest({"a": b"", "b": b"x"})


def test_digest_is_fixed() -> None:
    """What is hashed never changes between releases, for builds are found by it."""
    hashed = b"4 2\na.pyx\n" + "6 0\nb/é.x".encode()
    assert digest({"b/é.x": b"", "a.py": b"x\n"}) == hashlib.sha256(hashed).hexdigest()


def test_what_the_system_refuses(tmp_path: Path) -> None:
    """A target that the system will not even look at is an error for people too."""
    with pytest.raises((NotFound, FailedPrecondition), match="xxx"):
        load_source(tmp_path / ("x" * 300))
