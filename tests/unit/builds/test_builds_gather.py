"""What people name for `ak deploy`, put together; and files that come from elsewhere."""

from pathlib import Path

import pytest

from autokitteh_server.builds.bounds import MAX_FILES
from autokitteh_server.builds.gather import gather_source
from autokitteh_server.builds.source import has_secret_values, renamed, source_from_files, without_secret_values
from autokitteh_server.core.errors import InvalidArgument, NotFound
from autokitteh_server.core.manifest_parse import parse_manifest
from autokitteh_server.core.manifest_problems import ManifestError

MANIFEST = "version: v2\nproject:\n  name: from_manifest\n"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A directory with a manifest and a program."""
    folder = tmp_path / "my project"
    (folder / "lib").mkdir(parents=True)
    (folder / "autokitteh.yaml").write_text(MANIFEST)
    (folder / "program.py").write_text("x = 1\n")
    (folder / "lib" / "a.py").write_text("a = 1\n")
    return folder


def test_a_path(project: Path) -> None:
    """A directory, a file of Python and an archive are read as for `ak run`."""
    assert list(gather_source(project).files) == ["autokitteh.yaml", "lib/a.py", "program.py"]
    single = gather_source(project / "program.py")
    assert (single.name, list(single.files), single.manifest) == ("program", ["program.py"], None)
    archive = project / "an archive.txtar"
    archive.write_text(f"-- autokitteh.yaml --\n{MANIFEST}-- b.py --\n")
    assert gather_source(archive).name == "from_manifest"


def test_a_manifest_brings_its_directory(project: Path) -> None:
    """Files beside it belong to it, unless others are named."""
    assert list(gather_source(manifest=project / "autokitteh.yaml").files) == [
        "autokitteh.yaml",
        "lib/a.py",
        "program.py",
    ]
    only = gather_source(manifest=project / "autokitteh.yaml", files=[project / "program.py"])
    assert list(only.files) == ["autokitteh.yaml", "program.py"]


def test_a_manifest_from_elsewhere(project: Path, tmp_path: Path) -> None:
    """It takes the place of the one in the directory, under the name that is looked for first."""
    other = tmp_path / "staging.yaml"
    other.write_text(MANIFEST.replace("from_manifest", "staging"))
    (project / "autokitteh.yaml").rename(project / "manifest.yaml")
    source = gather_source(manifest=other, directory=project)
    assert source.name == "staging"
    assert list(source.files) == ["autokitteh.yaml", "lib/a.py", "program.py"]


def test_a_manifest_of_another_name_beside_the_code(project: Path) -> None:
    """It is the manifest, and not a file of the project as well: values of its secret vars would be kept in it."""
    (project / "production.yaml").write_text(MANIFEST + "  vars: [{name: S, value: hidden, secret: true}]\n")
    source = gather_source(manifest=project / "production.yaml")
    assert list(source.files) == ["autokitteh.yaml", "lib/a.py", "program.py"]
    assert not any(b"hidden" in content for content in without_secret_values(source).files.values())


def test_files(project: Path, tmp_path: Path) -> None:
    """They keep their paths below the directory; from elsewhere they come to its top."""
    extra = tmp_path / "extra.py"
    extra.write_text("")
    source = gather_source(project, files=[extra, project / "lib" / "a.py"])
    assert list(source.files) == ["autokitteh.yaml", "extra.py", "lib/a.py", "program.py"]
    alone = gather_source(files=[project / "lib" / "a.py", extra])
    assert (alone.name, list(alone.files)) == ("a", ["a.py", "extra.py"])


def test_names(project: Path) -> None:
    """A name given comes before the manifest's; without both it is that of the directory or file."""
    source = gather_source(project, name="other")
    assert source.name == "other"
    assert source.manifest is not None
    assert source.manifest.name == "other"
    (project / "autokitteh.yaml").unlink()
    assert gather_source(project).name == "my_project"
    with pytest.raises(InvalidArgument, match="name of a project"):
        gather_source(project, name="no name")


def test_what_cannot_be_gathered(project: Path, tmp_path: Path) -> None:
    """Two directories, files that are none, different files of one name, and a bad manifest with its own path."""
    (tmp_path / "program.py").write_text("other = 1\n")
    with pytest.raises(InvalidArgument, match="both"):
        gather_source(project, directory=project)
    with pytest.raises(InvalidArgument, match="no directory"):
        gather_source(directory=project / "program.py")
    with pytest.raises(NotFound, match="missing"):
        gather_source(project / "missing")
    with pytest.raises(NotFound, match="--file"):
        gather_source(project, files=[project / "missing.py"])
    with pytest.raises(InvalidArgument, match="this is no file"):
        gather_source(project, files=[project / "lib"])
    with pytest.raises(InvalidArgument, match=r"another program\.py"):
        gather_source(project, files=[tmp_path / "program.py"])
    (project / "autokitteh.yaml").write_text("version: v9\n")
    with pytest.raises(ManifestError, match=rf"{project}/autokitteh\.yaml:1"):
        gather_source(project)


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ({}, "no files"),
        ({"../a.py": b""}, "leads out"),
        ({"/etc/passwd": b""}, "absolute"),
        ({"a\\b": b""}, "backslash"),
        ({"a\0": b""}, "control"),
        ({"a": b"", "a/b": b""}, "both a file and a directory"),
        ({"x" * 256: b""}, "255 bytes"),
        ({"é" * 128: b""}, "255 bytes"),
        ({("x" * 50 + "/") * 20 + "x": b""}, "1000 bytes"),
        ({"x/" * 500 + "x": b""}, "50 parts"),
        ({"\udcff": b""}, "not UTF-8"),
        ({"A.py": b"", "a.py": b""}, "'A.py' and 'a.py' are one and the same on some machines"),
        ({"lib/a.py": b"", "LIB/b.py": b""}, "'LIB' and 'lib' are|'lib' and 'LIB' are"),
        ({"\u00e9.py": b"", "e\u0301.py": b""}, "one and the same"),
        ({str(number): b"" for number in range(MAX_FILES + 1)}, "10,000 files"),
        ({"a": b"x" * 60_000_000, "b": b"x" * 60_000_000}, "100,000,000 bytes"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_files_that_are_no_project(files: dict[str, bytes], problem: str) -> None:
    """Whatever a client sends: paths stay inside, and there is a bound to everything."""
    with pytest.raises(InvalidArgument, match=problem):
        source_from_files("p", files)


def test_files_need_a_name() -> None:
    """It is given, or the manifest's."""
    assert source_from_files("", {"autokitteh.yaml": MANIFEST.encode()}).name == "from_manifest"
    assert source_from_files("given", {"autokitteh.yaml": MANIFEST.encode()}).name == "given"
    assert list(source_from_files("p", {"b": b"", "a": b""}).files) == ["a", "b"]
    with pytest.raises(InvalidArgument, match="nothing says"):
        source_from_files("", {"a.py": b""})
    with pytest.raises(InvalidArgument, match="name of a project"):
        renamed(source_from_files("p", {"a.py": b""}), "1")


def test_values_of_secrets_are_left_out() -> None:
    """Of the project's vars and of connections'; everything else is as it was, and so are files without secrets."""
    text = (
        f"{MANIFEST}  vars:\n    - {{name: A, value: hunter2, secret: true, description: d}}\n"
        "    - {name: B, value: plain}\n"
        "  connections:\n    - {name: c, integration: slack, vars: [{name: t, value: hunter3, secret: true}]}\n"
    )
    source = source_from_files("", {"autokitteh.yaml": text.encode(), "a.py": b"x"})
    public = without_secret_values(source)
    assert b"hunter" not in public.files["autokitteh.yaml"]
    assert public.manifest is not None
    assert parse_manifest(public.files["autokitteh.yaml"]) == public.manifest
    assert [(var.name, var.value, var.description) for var in public.manifest.vars] == [
        ("A", None, "d"),
        ("B", "plain", ""),
    ]
    assert public.files["a.py"] == b"x"
    assert not has_secret_values(public.manifest)
    assert without_secret_values(public) is public
