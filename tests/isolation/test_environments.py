"""Environments of projects: what is in them, how often they are made, when they go, what is said where one fails."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from autokitteh_server.builds.packages import PROMISED, constraints_text
from autokitteh_server.core.errors import FailedPrecondition
from autokitteh_server.core.manifest_problems import ManifestError
from autokitteh_server.operations import environments, projects
from autokitteh_server.runners.environments import Environments, Wanted
from autokitteh_server.runners.uv import Uv
from isolation.stage import Stage, confining
from isolation.wheels import Index, package_index

USES_COLOURS = "import colours\n\ndef main(event):\n    return colours.RED\n"


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Index]:
    """An index with a package, and no cache from which what it has could come."""
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))
    with package_index() as found:
        found.add("colours", {"colours": "RED = 'red'\n"})
        yield found


@pytest.fixture
def stage(tmp_path: Path, index: Index) -> Iterator[Stage]:
    """A server with environments of its own."""
    with confining(tmp_path, environment_folder=None) as made:
        yield made


def uses(index: Index, program: str, *requirements: str) -> dict[str, str]:
    """A project's files."""
    return {"program.py": program, "requirements.txt": index.requirements(*requirements)}


def names(stage: Stage) -> list[list[str]]:
    """The packages of each environment."""
    return [each.packages for each, _ in environments.list_used(stage.served.services)]


def test_a_project_has_what_it_requires(stage: Stage, index: Index) -> None:
    """And nothing else: nothing of what the server has."""
    program = USES_COLOURS + "    " + "\n\ndef others(event):\n    import sqlalchemy\n"

    result = stage.run(uses(index, program, "colours"))

    assert result.session.result == "red"
    assert names(stage) == [["colours==1.0"]]
    (environment,) = (each for each, _ in environments.list_used(stage.served.services))
    done = subprocess.run([environment.python, "-c", "import sqlalchemy"], capture_output=True, text=True, check=False)
    assert "ModuleNotFoundError" in done.stderr


def test_nothing_is_made_for_the_standard_library(stage: Stage) -> None:
    """That is Python as it is; and the server's own packages are not there either."""
    result = stage.run("def main(event):\n    import sqlalchemy\n")

    assert "No module named 'sqlalchemy'" in result.error and "requirements.txt" in result.error
    assert names(stage) == []


def test_promised_packages_come_by_being_imported(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a requirements.txt, in the promised range, and only those."""
    monkeypatch.delenv("UV_CACHE_DIR")

    result = stage.run("import yaml\n\ndef main(event):\n    return yaml.safe_load('[1]')\n")

    assert result.session.result == [1]
    ((package,),) = names(stage)
    assert package.lower().startswith("pyyaml==6.")


def test_what_cannot_be_had_fails_the_build(stage: Stage, index: Index) -> None:
    """With uv's reason, and the line that asks for it; nothing is deployed."""
    with pytest.raises(ManifestError) as caught:
        stage.deploy(uses(index, USES_COLOURS, "colours", "nowhere-to-be-found>=3"))

    (problem,) = caught.value.problems
    assert (problem.file, problem.line) == ("requirements.txt", 3)
    assert "nowhere-to-be-found was not found" in problem.message
    assert names(stage) == [] and projects.list_page(stage.served.services, limit=10) == []


def test_a_version_out_of_the_promised_range_fails_the_build(stage: Stage) -> None:
    """Also if it is only another package that wants it."""
    with pytest.raises(ManifestError, match=r"requirements\.txt:1"):
        stage.deploy({"program.py": "def main(event): pass\n", "requirements.txt": "slack-sdk==2.0\n"})


@pytest.mark.parametrize(
    ("program", "line"),
    [("import os\nimport nosuch\n", 2), ("from nosuch.inner import x\n", 1), ("import colours, nosuch\n", 1)],
)
def test_an_import_that_nothing_provides_fails_the_build(stage: Stage, index: Index, program: str, line: int) -> None:
    """With its line."""
    with pytest.raises(ManifestError) as caught:
        stage.deploy(uses(index, program + "def main(event): pass\n", "colours"))

    (problem,) = caught.value.problems
    assert (problem.file, problem.line) == ("program.py", line)
    assert "nosuch" in problem.message and "requirements.txt" in problem.remedy


def test_an_import_that_may_fail_is_none_of_the_builds_business(stage: Stage) -> None:
    """In a `try` it is not told of; in a function only as a warning."""
    guarded = "try:\n    import nosuch\nexcept ImportError:\n    nosuch = None\n\ndef main(event):\n    return 1\n"
    late = "def main(event):\n    import nosuch\n"

    assert stage.deploy(guarded).lines[-1].startswith("+ deployment")
    assert "! program.py:2" in stage.deploy(late).lines[-1] and "nosuch" in stage.deploy(late).lines[-1]


def test_many_builds_want_the_same_and_it_is_made_once(stage: Stage, index: Index) -> None:
    """At the same time, too."""

    def deploy(number: int) -> None:
        stage.deploy(uses(index, USES_COLOURS + f"# {number}\n", "colours"), f"project_{number}")

    with ThreadPoolExecutor(6) as threads:
        list(threads.map(deploy, range(6)))

    assert names(stage) == [["colours==1.0"]]
    assert index.fetched["colours-1.0-py3-none-any.whl"] <= 2  # for what it says of itself, and for what is in it


def test_it_goes_when_no_build_has_it(stage: Stage, index: Index) -> None:
    """And not before."""
    stage.deploy(uses(index, USES_COLOURS, "colours"), "one")
    stage.deploy(uses(index, USES_COLOURS, "colours"), "two")
    services = stage.served.services

    projects.delete(services, "one")
    assert environments.collect(services) == [] and len(names(stage)) == 1

    projects.delete(services, "two")
    (gone,) = environments.collect(services)
    assert gone.packages == ["colours==1.0"] and names(stage) == [] and not gone.folder.exists()


def test_what_was_left_half_made_goes_after_a_day(stage: Stage) -> None:
    """And not before: somebody may be making it."""
    parent = stage.data_dir / "environments"
    old, new = parent / ".unfinished-old", parent / ".unfinished-new"
    for folder in (old, new):
        folder.mkdir()
    os.utime(old, (0, 0))

    environments.collect(stage.served.services)

    assert (old.exists(), new.exists()) == (False, True)


def test_one_that_is_about_to_be_used_stays(stage: Stage, index: Index) -> None:
    """Between the making of an environment and the build that names it."""
    made = Environments(stage.data_dir / "environments", Uv(os.environ))
    lock = made.resolve(Wanted(requirements=(f"--index-url {index.url}", "colours")))
    with stage.served.services.setups.environments.held(made.make(lock).id):
        assert environments.collect(stage.served.services) == []
    assert len(environments.collect(stage.served.services)) == 1


def test_what_others_may_use_is_not_collected(tmp_path: Path, index: Index) -> None:
    """A folder that the configuration names."""
    with confining(tmp_path, environment_folder=tmp_path / "shared") as stage:
        stage.deploy(uses(index, USES_COLOURS, "colours"))
        with pytest.raises(FailedPrecondition, match="others"):
            environments.collect(stage.served.services)


def test_one_that_is_gone_is_made_anew(stage: Stage, index: Index) -> None:
    """As in a new data folder after a restore: in the same versions, though there are newer ones by then."""
    stage.deploy(uses(index, USES_COLOURS, "colours"))
    (environment,) = stage.served.services.setups.environments.list()
    assert stage.served.services.setups.environments.remove(environment.id)
    index.add("colours", {"colours": "RED = 'rouge'\n"}, version="2.0")

    assert stage.served.wait(stage.begin()).session.result == "red"
    assert names(stage) == [["colours==1.0"]]


def test_the_same_requirements_give_the_same_packages(stage: Stage, index: Index) -> None:
    """What was resolved once is locked: also for the next deploy."""
    stage.deploy(uses(index, USES_COLOURS, "colours"))
    index.add("colours", {"colours": "RED = 'rouge'\n"}, version="2.0")

    assert stage.run(uses(index, USES_COLOURS + "# changed\n", "colours")).session.result == "red"
    assert stage.run(uses(index, USES_COLOURS, "colours>=2")).session.result == "rouge"


MAKING = """
import os, sys
from pathlib import Path
from autokitteh_server.runners.environments import Environments, Wanted
from autokitteh_server.runners.uv import Uv
made = Environments(Path(sys.argv[1]), Uv(os.environ))
made.make(made.resolve(Wanted(requirements=(f"--index-url {sys.argv[2]}", "colours"))))
"""


def test_a_server_that_dies_while_it_makes_one(tmp_path: Path, index: Index) -> None:
    """Whoever wants it next makes it anew, and what was half made is swept."""
    reached, go_on = threading.Event(), threading.Event()
    index.before_wheel = lambda: (reached.set(), go_on.wait(60))
    folder = tmp_path / "environments"
    child = subprocess.Popen([sys.executable, "-c", MAKING, folder, index.url])
    # The description of a wheel is read for resolving, and the wheel again for installing.
    assert reached.wait(60)
    child.kill()
    child.wait()
    go_on.set()
    made = Environments(folder, Uv(os.environ))

    environment = made.make(made.resolve(Wanted(requirements=(f"--index-url {index.url}", "colours"))))

    assert [each.id for each in made.list()] == [environment.id]
    made.remove_unfinished(before=2**62)
    left = [path.name for path in folder.iterdir() if not path.name.endswith(".lock")]
    assert sorted(left) == sorted([environment.id, "locks"])


@pytest.mark.slow
def test_all_promised_packages_fit_together(tmp_path: Path) -> None:
    """`environment: full`: there is one set of versions for all of them."""
    made = Environments(tmp_path / "environments", Uv(os.environ))
    constraints = tuple(constraints_text().splitlines())

    lock = made.resolve(Wanted(requirements=tuple(each.requirement for each in PROMISED), constraints=constraints))

    found = {canonicalize_name(line.partition("==")[0].partition("[")[0]) for line in lock.splitlines()}
    assert {canonicalize_name(each.name) for each in PROMISED} <= found


def test_an_environment_that_was_damaged_is_none(tmp_path: Path, index: Index) -> None:
    """Without the file that says that it is whole it is as if it were not there."""
    made = Environments(tmp_path, Uv(os.environ))
    environment = made.make(made.resolve(Wanted(requirements=(f"--index-url {index.url}", "colours"))))
    about = json.loads((environment.folder / "autokitteh.json").read_text())

    (environment.folder / "autokitteh.json").write_text("{")

    assert made.find(environment.id) is None and made.list() == []
    assert about["lock"] == environment.lock
