"""`ak env` and `ak doctor`, against a server with environments of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from ak_process import Ended
from api.stage import Stage, staged
from autokitteh_server.cli.main import main
from autokitteh_server.config import IsolationSettings
from isolation.wheels import Index, package_index


@pytest.fixture
def index() -> Iterator[Index]:
    """An index with a package."""
    with package_index() as found:
        found.add("colours", {"colours": "RED = 'red'\n"})
        yield found


@pytest.fixture
def stage(tmp_path: Path, index: Index, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    """A server that installs what projects need."""
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))
    settings = {"environment": "imported", "environment_folder": None, "isolation": IsolationSettings()}
    with staged(tmp_path / "server", **settings) as running:
        yield running


@pytest.fixture
def run(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):  # type: ignore[no-untyped-def]
    """Runs `ak` in a folder, for this server."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AK_DATA_DIR", str(stage.data_dir))

    def command(*arguments: str) -> Ended:
        code = main(list(arguments))
        return Ended(code, *capsys.readouterr())

    return command


def write(folder: Path, index: Index, *requirements: str) -> None:
    """A project that needs these."""
    folder.mkdir(exist_ok=True)
    (folder / "program.py").write_text("import colours\n\ndef main(event):\n    pass\n")
    (folder / "requirements.txt").write_text(index.requirements(*requirements))


def test_environments_are_listed_warmed_and_collected(run, index: Index, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """As a project comes and goes."""
    assert run("env", "list").out == ""
    write(tmp_path / "paint", index, "colours")
    assert run("deploy", "paint").code == 0

    listed = run("env", "list")
    assert listed.lines[0].split() == ["ID", "SIZE", "USED", "PACKAGES"]
    assert listed.lines[1].split()[-2:] == ["yes", "colours==1.0"]
    (listed_as_json,) = run("env", "list", "-j").objects
    assert (listed_as_json["packages"], listed_as_json["is_used"]) == (["colours==1.0"], True)

    assert run("env", "warm", "paint").err == "Project paint is ready\n"
    assert run("env", "gc").err == "There was nothing to remove\n"

    assert run("project", "delete", "paint").code == 0
    assert run("env", "gc").out.startswith(f"Removed {listed_as_json['id']}, ")
    assert run("env", "list").out == ""


def test_warming_what_is_not_there(run) -> None:  # type: ignore[no-untyped-def]
    """Has the exit code of what is not found."""
    assert run("env", "warm", "nothing").code == 44


def test_a_deploy_that_cannot_be_had(run, index: Index, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    """The file and line, uv's reason, and nothing is there afterwards."""
    write(tmp_path / "paint", index, "colours", "nowhere-to-be-found")

    ended = run("deploy", "paint")

    assert ended.code == 40
    assert ended.err.startswith("Error: requirements.txt:3:1: the packages cannot be installed: ")
    assert "nowhere-to-be-found was not found" in ended.err
    assert run("project", "list").out == ""


def test_the_doctor_says_what_is_in_force(run) -> None:  # type: ignore[no-untyped-def]
    """Each thing with a state and a sentence, for people and for programs."""
    found = run("doctor", "-j").objects
    assert [each["name"] for each in found][:6] == [
        "environment", "user", "files", "signals", "privileges", "limits",
    ]  # fmt: skip
    assert {each["state"] for each in found} <= {"on", "partly", "off"}

    shown = run("doctor").lines
    assert [line.split()[1] for line in shown if not line.startswith(" ")] == [each["name"] for each in found]
