"""Commands that speak to a server, each against a real one: what they print, for people and for programs.

In this process, for there are many, and half a second of imports in each.
"""

import io
import json
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from textwrap import dedent

import httpx
import pytest

from ak_process import Ended
from api.stage import HELLO, Stage, staged
from autokitteh_server.cli.main import main

Run = Callable[..., Ended]

MANIFEST = """
version: v2
project:
  name: {name}
  vars:
    - {{name: GREETING, value: hello}}
    - {{name: KEY, value: hush, secret: true}}
  connections:
    - {{name: chat, integration: slack}}
  triggers:
    - {{name: hook, type: webhook, call: "program.py:main", is_durable: true}}
    - {{name: nightly, type: schedule, schedule: "0 3 * * *", call: "program.py:main"}}
    - {{name: only_push, type: connection, connection: chat, event_type: push, call: "program.py:main"}}
    - {{name: picky, type: connection, connection: chat, filter: "data.n > 3", call: "program.py:main"}}
"""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A server that runs."""
    with staged(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def run(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `ak` in an empty folder, for this server."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AK_DATA_DIR", str(stage.data_dir))

    def command(*arguments: str, stdin: str = "") -> Ended:
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin))
        code = main(list(arguments))
        return Ended(code, *capsys.readouterr())

    return command


@pytest.fixture
def project(stage: Stage, run: Run, tmp_path: Path) -> str:
    """A project, deployed from a folder of its name."""
    name = stage.name("demo")
    write(tmp_path / name, name)
    assert run("deploy", name).code == 0
    return name


def write(folder: Path, name: str) -> None:
    folder.mkdir()
    (folder / "autokitteh.yaml").write_text(dedent(MANIFEST).format(name=name))
    (folder / "program.py").write_text(HELLO)


def titles(ended: Ended) -> list[str]:
    """The titles of a table."""
    assert ended.code == 0, ended.err
    return re.split(r"  +", ended.lines[0])


def fields(ended: Ended) -> dict[str, str]:
    """The fields that are shown of one thing."""
    assert ended.code == 0, ended.err
    pairs = (re.split(r"  +", line, maxsplit=1) for line in ended.lines if "  " in line)
    return {pair[0]: pair[1] for pair in pairs}


def test_deploy(stage: Stage, run: Run, tmp_path: Path) -> None:
    """What was done, line by line, and where the webhooks are; the second time nothing."""
    name = stage.name("demo")
    write(tmp_path / "here", name)
    first, second = run("deploy", "here"), run("deploy", "here", "-j")

    assert first.lines[:3] == [f"+ project {name}", "+ connection chat: slack", "+ var GREETING"]
    assert re.fullmatch(rf"webhook hook: {stage.url}/webhooks/\w+", first.lines[-1])
    assert first.err == f"Project {name}: deployed\n" and "hush" not in first.out
    assert second.objects[0]["is_new"] is False
    assert run("deploy", "here").err == f"Project {name}: nothing to do, it is deployed like this\n"


def test_deploy_what_lies_elsewhere(stage: Stage, run: Run, tmp_path: Path) -> None:
    """A single file, a directory by option, files by option, another manifest, another name."""
    (tmp_path / "one.py").write_text(HELLO)
    write(tmp_path / "whole", "whole")
    a, b, c = (stage.name("demo") for _ in range(3))

    assert run("deploy", "one.py", "--name", a, "-j").objects[0]["project"]["name"] == a
    assert run("deploy", "--dir", "whole", "--name", b, "-j").objects[0]["project"]["name"] == b
    by_files = run("deploy", "--manifest", "whole/autokitteh.yaml", "--file", "whole/program.py", "--name", c)
    assert by_files.lines[0] == f"+ project {c}"


def test_project_lint(run: Run, tmp_path: Path) -> None:
    """What is found line by line, with what to do; errors make it fail, and warnings if that is wanted."""
    write(tmp_path / "here", "never_deployed")
    assert run("project", "lint", "here").err == "Project never_deployed: nothing found\n"
    (tmp_path / "here" / "requirements.txt").write_text("numpy\nrequests\n")

    warned = run("project", "lint", "here")
    assert (warned.code, warned.err) == (0, "")
    assert warned.lines == [
        "requirements.txt:2: warning promised-package requests is there without being asked for, as requests~=2.32",
        "    Remove the line.",
    ]
    assert run("project", "lint", "here", "--strict").code == 1
    (tmp_path / "here" / "program.py").write_text("def main(:\n")
    failed = run("project", "lint", "--dir", "here", "-j")
    assert failed.code == 1
    assert [(each["id"], each["file"], each["line"]) for each in failed.objects] == [
        ("syntax", "program.py", 1),
        ("promised-package", "requirements.txt", 2),
    ]
    assert failed.objects[0] == {
        "id": "syntax",
        "severity": "error",
        "file": "program.py",
        "line": 1,
        "message": "invalid syntax",
        "remedy": "",
    }
    assert run("project", "get", "never_deployed").code == 44


def test_project_lint_of_what_is_no_project(run: Run, tmp_path: Path) -> None:
    """Is as for `ak deploy`; a file alone has no manifest, and nothing is missed there."""
    (tmp_path / "one.py").write_text("from autokitteh.slack import slack_client\nx = slack_client('chat')\n")

    assert run("project", "lint", "one.py", "--name", "one", "-j").out == ""
    assert run("project", "lint", "nowhere").code == 44
    (tmp_path / "autokitteh.yaml").write_text("version: v2\nproject: {nam: x}\n")
    assert run("project", "lint").code == 40


def test_manifest_plan_and_apply(stage: Stage, run: Run, tmp_path: Path) -> None:
    """A plan changes nothing; what is applied needs no more."""
    name = stage.name("demo")
    write(tmp_path / "here", name)
    plan = run("manifest", "plan", "here")
    assert plan.lines[0] == f"+ project {name}" and run("project", "get", name).code == 44

    assert run("manifest", "apply", "here/autokitteh.yaml").lines[: len(plan.lines)] == plan.lines
    assert run("manifest", "plan", "here").lines == ["Nothing to do."]
    assert run("manifest", "plan", "here", "-j").objects[0]["is_empty"] is True
    assert run("manifest", "apply", "here").lines[0] == "Nothing to do."


def test_project(stage: Stage, run: Run) -> None:
    """Made, shown by name and id, listed, deleted."""
    name = stage.name("demo")
    made = run("project", "create", name, "--display-name", "My demo")

    assert run("project", "get", made.out.strip(), "-j").objects[0]["name"] == name
    assert fields(run("project", "get", name))["display name"] == "My demo"
    listed = run("project", "list", "--limit", "1000")
    assert titles(listed) == ["NAME", "DISPLAY NAME", "CREATED", "ID"]
    assert name in [each["name"] for each in run("project", "list", "-j", "--limit", "1000").objects]
    deleted = run("project", "delete", name)
    assert (deleted.code, deleted.out, deleted.err) == (0, "", f"Deleted project {name}\n")
    assert run("project", "get", name).code == 44


def test_project_export(run: Run, project: str, tmp_path: Path) -> None:
    """As a folder and as an archive; deployed again, neither changes anything."""
    assert run("project", "export", project, "--to", "back").code == 0
    (tmp_path / "back.txtar").write_text(run("project", "export", project).out)

    assert (tmp_path / "back" / "program.py").read_text() == HELLO
    assert "hush" not in (tmp_path / "back.txtar").read_text()
    for path in ("back", "back.txtar"):
        assert run("deploy", path).err.endswith("nothing to do, it is deployed like this\n")
    again = run("project", "export", project, "--to", "back")
    assert (again.code, again.err) == (42, "Error: back is not empty\nGive a folder that does not exist yet.\n")


def test_project_export_of_a_file_without_a_last_newline(run: Run, tmp_path: Path) -> None:
    """An archive cannot have it: nobody is to find that out from a build that differs."""
    (tmp_path / "bare.py").write_bytes(b"def main(event): pass")
    assert run("deploy", "bare.py").code == 0

    archive = run("project", "export", "bare")
    assert archive.code == 0 and "newline at the end of bare.py" in archive.err
    assert run("project", "export", "bare", "--to", "bare").err == "Exported project bare to bare\n"
    assert run("deploy", "bare").err.endswith("nothing to do, it is deployed like this\n")
    assert run("project", "delete", "bare").code == 0


def test_connection_and_integration(run: Run, project: str) -> None:
    """By PROJECT/NAME or id."""
    made = run("connection", "create", project, "other", "--integration", "github").out.strip()

    assert run("connection", "get", f"{project}/other", "-j").objects[0]["id"] == made
    assert fields(run("connection", "get", made))["made by"] == "hand"
    listed = run("connection", "list", "--project", project)
    columns = ["NAME", "INTEGRATION", "STATUS", "EVENTS", "WHY", "TRIED", "MADE BY", "PROJECT", "ID"]
    assert titles(listed) == columns and len(listed.lines) == 3
    assert run("connection", "list", project).out == listed.out
    assert run("connection", "delete", f"{project}/other").code == 0
    assert run("connection", "get", made).code == 44
    assert titles(run("integration", "list")) == ["NAME", "TITLE", "AUTH TYPES", "ABOUT"]
    assert "slack" in {each["name"] for each in run("integration", "list", "-j").objects}
    assert "bot_token" in run("integration", "get", "slack").out
    assert run("integration", "get", "slack", "-j").objects[0]["title"] == "Slack"
    missed = run("integration", "get", "slak")
    assert missed.code == 44 and "Did you mean slack?" in missed.err


def test_trigger(stage: Stage, run: Run, project: str) -> None:
    """Made, shown, changed, paused, resumed, deleted."""
    made = run("trigger", "create", project, "mine", "--type", "webhook", "--call", "program.py:main", "--sync")
    assert made.out.startswith(f"{stage.url}/webhooks/")
    which = f"{project}/mine"

    shown = fields(run("trigger", "get", which))
    assert (shown["url"], shown["sync"], shown["durable"]) == (made.out.strip(), "yes", "no")
    changed = run("trigger", "update", which, "--filter", "data.x == 1", "--no-sync", "-j").objects[0]
    assert (changed["filter"], changed["is_sync"], changed["call"]) == ("data.x == 1", False, "program.py:main")
    assert run("trigger", "update", which, "--filter", "", "-j").objects[0]["filter"] == ""
    assert run("trigger", "pause", which).out == "mine is paused\n"
    assert run("trigger", "resume", which).out == "mine is active\n"
    paused = run("trigger", "pause", f"{project}/nightly", "-j").objects[0]
    assert paused["is_paused"] and paused["next_tick_at"] is None
    assert re.fullmatch(r"nightly is active, next tick .*\n", run("trigger", "resume", f"{project}/nightly").out)
    listed = run("trigger", "list", "--project", project)
    assert titles(listed) == ["NAME", "TYPE", "SOURCE", "CALL", "STATE", "PROJECT", "ID"] and len(listed.lines) == 6
    assert all(line.split()[-2] == project for line in listed.lines[1:])
    assert re.search(r"^picky +connection +chat ", listed.out, re.MULTILINE)
    assert run("trigger", "delete", which).code == 0 and run("trigger", "get", which).code == 44


def test_var(run: Run, project: str) -> None:
    """Secret ones are shown on demand; a value may come from standard input, and so stay out of the history."""
    assert run("var", "set", project, "PLAIN", "two words", "--description", "why").code == 0
    assert run("var", "set", project, "TOKEN", "--secret", stdin="abc\n").code == 0
    assert run("var", "set", f"{project}/chat", "token", "--secret", stdin="xyz").out == ""

    assert run("var", "get", project, "PLAIN").out == "two words\n"
    assert run("var", "get", project, "TOKEN").out == "***\n"
    assert run("var", "get", project, "TOKEN", "--reveal").out == "abc\n"
    assert run("var", "get", f"{project}/chat", "token", "--reveal", "-j").objects[0]["value"] == "xyz"
    listed = run("var", "list", project)
    assert titles(listed) == ["NAME", "VALUE", "SECRET", "MADE BY", "CHANGED", "DESCRIPTION"]
    assert "abc" not in listed.out and "hush" not in listed.out and "two words" in listed.out
    assert {each["name"] for each in run("var", "list", project, "-j").objects} == {"GREETING", "KEY", "PLAIN", "TOKEN"}
    assert "hush" in run("var", "list", project, "--reveal").out
    assert run("var", "delete", project, "PLAIN").code == 0 and run("var", "get", project, "PLAIN").code == 44


def test_build_and_deployment(run: Run, project: str) -> None:
    """Another build is deployed, and the first one is taken back."""
    first = run("deployment", "get", project, "-j").objects[0]["id"]
    build = run("build", "create", project, "--project", project).out.strip()
    assert build == run("deployment", "get", project, "-j").objects[0]["build_id"]  # equal files have one build

    second = run("deployment", "create", build).out.strip()
    assert run("deployment", "activate", first).out == f"{first}  ACTIVE\n"
    assert fields(run("deployment", "get", second))["state"] == "INACTIVE"
    assert run("deployment", "list", "--project", project, "--state", "active", "-j").objects[0]["id"] == first
    assert titles(run("deployment", "list")) == ["ID", "STATE", "CREATED", "BUILD", "PROJECT"]
    assert run("deployment", "deactivate", project).out == f"{first}  INACTIVE\n"
    assert run("build", "get", build).lines[-2:] == ["autokitteh.yaml", "program.py"]
    assert titles(run("build", "list", "--project", project)) == ["ID", "CREATED", "FILES", "DIGEST", "PROJECT"]
    assert run("build", "delete", build).code == 42
    for each in (first, second):
        assert run("deployment", "delete", each).err == f"Deleted deployment {each}\n"
    assert run("build", "delete", build).code == 0


def test_event_in_words(stage: Stage, run: Run, project: str) -> None:
    """Each trigger's verdict is told in words, with its reason."""
    dispatched = run("event", "dispatch", f"{project}/chat", "--type", "pull", "--data", '{"n": 1}')
    event = dispatched.lines[0]
    assert dispatched.lines[1:] == [
        "  Trigger only_push: did not start a session: it is for events of another type "
        "(the trigger is for 'push', the event is 'pull')",
        "  Trigger picky: did not start a session: its filter is false (data.n > 3)",
    ]

    shown = run("event", "get", event)
    assert fields(shown)["project"].startswith(f"{project} (prj_")
    assert run("event", "get", "last").out == shown.out
    assert fields(shown)["type"] == "pull" and '  "n": 1' in shown.lines
    again = run("event", "redispatch", event, "-j").objects[0]
    assert again["id"] != event and again["data"] == {"n": 1}
    started = run("event", "dispatch", f"{project}/chat", "--type", "push", "--data", '{"n": 4}')
    assert [re.sub("ses_.*", "SES", line) for line in started.lines[1:]] == [
        "  Trigger only_push: started session SES", "  Trigger picky: started session SES",
    ]  # fmt: skip
    failed = run("event", "dispatch", f"{project}/chat", "--data", "{}")
    assert any("its filter failed" in line for line in failed.lines)
    listed = run("event", "list", "--project", project)
    assert titles(listed) == ["ID", "CREATED", "SOURCE", "TYPE", "OUTCOME", "PROJECT"]
    assert "2 sessions" in listed.out
    assert len(run("event", "list", "--project", project, "--type", "push", "-j").objects) == 1
    for line in started.lines[1:]:
        stage.wait(line.split()[-1])


def test_event_verify_filter(run: Run) -> None:
    """The exit code tells, too: 0 it matches, 1 it does not, 40 it is no filter."""
    matches = run("event", "verify-filter", "data.n > 3 && event_type == 'x'", "--type", "x", "--data", '{"n": 4}')
    differs = run("event", "verify-filter", "data.n > 3", "--data", '{"n": 3}')
    fails = run("event", "verify-filter", "data.n > 3", "--data", "{}")
    broken = run("event", "verify-filter", "data.n >")

    assert (matches.code, matches.out) == (0, "The event matches.\n")
    assert (differs.code, differs.out) == (1, "The event does not match: the filter is false\n")
    assert fails.code == 1 and "data.n" in fails.out
    assert broken.code == 40 and broken.out.startswith("1:")


def test_store(run: Run, project: str) -> None:
    """JSON in, JSON out."""
    assert run("store", "set", project, "k", '{"a": [1, "é"]}').code == 0
    assert run("store", "get", project, "k", "-j").objects == [{"key": "k", "value": {"a": [1, "é"]}}]
    assert json.loads(run("store", "get", project, "k").out) == {"a": [1, "é"]}
    assert run("store", "list", project).out == "k\n"
    assert run("store", "delete", project, "k").code == 0 and run("store", "get", project, "k").code == 44


def test_session_life(run: Run, project: str) -> None:
    """Started, watched, shown, its log and prints, started again, deleted."""
    watched = run("session", "start", project, "--entry", "program.py:main", "--data", '{"name": "Ann"}',
                  "--memo", "why=test", "--watch")  # fmt: skip
    assert watched.code == 0 and watched.err.startswith("Session ses_")
    assert [line.split()[2] for line in watched.lines] == ["state", "print", "state"]
    session = watched.err.split()[1]

    assert fields(run("session", "get", session))["memo"] == "why=test"
    assert run("session", "get", session, "-j").objects[0]["children"] == []
    assert run("session", "prints", session, "--no-timestamps").out == "hello Ann\n"
    assert [each["kind"] for each in run("session", "log", session, "-j").objects] == ["state", "print", "state"]
    assert run("session", "log", session).lines == watched.lines
    assert run("session", "watch", session, "-j").objects == run("session", "log", session, "-j").objects
    again = run("session", "restart", session).out.strip()
    assert run("session", "watch", again).code == 0
    listed = run("session", "list", "--project", project)
    assert titles(listed) == ["ID", "STATE", "CREATED", "DURATION", "PROJECT", "ENTRY", "WAITS FOR"]
    found = run("session", "list", "--project", project, "--state", "completed", "-j").objects
    assert [each["id"] for each in found] == [again, session]
    assert run("session", "delete", again).code == 0 and run("session", "get", again).code == 44


def test_session_that_fails_or_is_stopped(stage: Stage, run: Run) -> None:
    """Whoever watches it ends with 1, and is told why."""
    name = stage.deploy(
        "import time\ndef fails(event):\n    raise ValueError('no luck')\ndef waits(event):\n    time.sleep(1000)\n"
    ).project.name
    failed = run("session", "start", name, "--entry", "program.py:fails", "--watch")
    waiting = run("session", "start", name, "--entry", "program.py:waits").out.strip()
    stopped = run("session", "stop", waiting, "--force")
    watched = run("session", "watch", waiting)

    assert failed.code == 1 and "Error: ValueError: no luck" in failed.err
    assert stopped.code == 0 and stopped.out.startswith(waiting)
    assert watched.code == 1 and watched.err.endswith("Error: it was stopped\n")


def test_token(stage: Stage, run: Run) -> None:
    """A token with less is good for less, here as over HTTP."""
    name = stage.name("token")
    secret = run("token", "create", name, "--scope", "read", "--expires-in", "1h").out.strip()

    assert run("session", "list", "--token", secret).code == 0
    refused = run("project", "create", stage.name(), "--token", secret)
    assert refused.code == 43 and "lacks the scope write" in refused.err
    listed = run("token", "list")
    assert titles(listed) == ["NAME", "SCOPES", "CREATED", "EXPIRES", "LAST USED", "ID"] and secret not in listed.out
    assert [each["scopes"] for each in run("token", "list", "-j").objects if each["name"] == name] == [["read"]]
    assert run("token", "revoke", name).code == 0
    unknown = run("session", "list", "--token", secret)
    assert unknown.code == 41 and unknown.err.startswith("Error: the token is not known here")


def test_webhook_to_session(run: Run, project: str) -> None:
    """The whole way: deploy, send, look why, read what it printed."""
    url = run("trigger", "get", f"{project}/hook", "-j").objects[0]["webhook_url"]
    event = httpx.post(url, json={"name": "Ann"}, trust_env=False).headers["autokitteh-event-id"]

    (line,) = [line for line in run("event", "get", event).lines if line.startswith("Trigger")]
    session = line.removeprefix("Trigger hook: started session ")
    assert run("session", "watch", session).code == 0
    assert run("session", "prints", session, "--no-timestamps").out == "hello None\n"


BAD = [
    (["deploy", "nowhere"], 44, "nowhere: no such file or directory"),
    (["deploy", "bad"], 40, "bad/autokitteh.yaml:3:"),
    (["deploy", "broken.py"], 40, "broken.py:1:"),
    (["deploy", "fine.py", "--name", "1x"], 40, "'1x' cannot be the name of a project"),
    (["deploy", "fine.py", "--dir", "bad"], 40, "both fine.py and --dir bad"),
    (["deploy", "--file", "nope.py"], 44, "nope.py: no such file"),
    (["manifest", "plan", "nowhere"], 44, "nowhere: no such file or directory"),
    (["manifest", "plan", "bad"], 40, "bad/autokitteh.yaml:3:"),
    (["manifest", "apply", "bad"], 40, "bad/autokitteh.yaml:3:"),
    (["project", "get", "nobody"], 44, "there is no project named 'nobody'"),
    (["project", "get", ""], 40, "'' is no name"),
    (["project", "get", ".."], 40, "'..' is no name"),
    (["project", "get", "a/b"], 44, "there is nothing at"),
    (["project", "create", "a b"], 40, "'a b' cannot be the name of a project"),
    (["project", "delete", "nobody"], 44, "there is no project named 'nobody'"),
    (["project", "get", "\udcff"], 40, r"'\udcff' is no name"),
    (["project", "export", "nobody"], 44, "there is no project named 'nobody'"),
    (["project", "list", "--limit", "0"], 2, "0 is not in the range x>=1"),
    (["connection", "get", "nobody/x"], 44, "there is no project named 'nobody'"),
    (["connection", "get", "x"], 44, "PROJECT/CONNECTION"),
    (["connection", "create", "nobody", "x", "--integration", "slack"], 44, "there is no project named 'nobody'"),
    (["connection", "create", "nobody", "x"], 2, "Missing option '--integration'"),
    (["connection", "delete", "con_x"], 44, "there is no connection con_x"),
    (["connection", "list", "--project", "nobody"], 44, "there is no project named 'nobody'"),
    (["trigger", "get", "nobody/x"], 44, "there is no project named 'nobody'"),
    (["trigger", "create", "nobody", "x", "--type", "webhook"], 44, "there is no project named 'nobody'"),
    (["trigger", "create", "nobody", "x", "--type", "pigeon"], 2, "'pigeon' is not one of"),
    (["trigger", "create", "nobody", "x", "--type", "schedule", "--schedule", "soon"], 40, "schedule: "),
    (["trigger", "update", "nobody/x"], 2, "Nothing is to be changed"),
    (["trigger", "update", "nobody/x", "--call", "a.py:b"], 44, "there is no project named 'nobody'"),
    (["trigger", "pause", "trg_x"], 44, "there is no trigger trg_x"),
    (["trigger", "resume", "trg_x"], 44, "there is no trigger trg_x"),
    (["trigger", "delete", "trg_x"], 44, "there is no trigger trg_x"),
    (["trigger", "list", "--project", "nobody"], 44, "there is no project named 'nobody'"),
    (["var", "set", "nobody", "A", "1"], 44, "there is no project named 'nobody'"),
    (["var", "set", "nobody", "1A", "1"], 40, "'1A' cannot be the name of a var"),
    (["var", "get", "\udcff", "A"], 40, r"'\udcff' is not UTF-8"),
    (["var", "set", "nobody", "A", "\udcff"], 40, r"'\udcff' is not UTF-8"),
    (["var", "get", "nobody", "A"], 44, "there is no project named 'nobody'"),
    (["var", "list", "nobody"], 44, "there is no project named 'nobody'"),
    (["var", "list", ""], 40, "owner"),
    (["var", "delete", "nobody", "A"], 44, "there is no project named 'nobody'"),
    (["build", "get", "bld_x"], 44, "there is no build bld_x"),
    (["build", "create", "fine.py", "--project", "nobody"], 44, "there is no project named 'nobody'"),
    (["build", "create", "nope.py"], 44, "nope.py: no such file"),
    (["build", "delete", "bld_x"], 44, "there is no build bld_x"),
    (["build", "list", "--project", "nobody"], 44, "there is no project named 'nobody'"),
    (["deployment", "get", "nobody"], 44, "there is no project named 'nobody'"),
    (["deployment", "create", "bld_x"], 44, "there is no build bld_x"),
    (["deployment", "activate", "dep_x"], 44, "there is no deployment dep_x"),
    (["deployment", "delete", "dep_x"], 44, "there is no deployment dep_x"),
    (["deployment", "deactivate", "nobody"], 44, "there is no project named 'nobody'"),
    (["deployment", "list", "--state", "asleep"], 2, "'asleep' is not one of"),
    (["event", "get", "evt_x"], 44, "there is no event evt_x"),
    (["event", "dispatch", "nobody/x"], 44, "there is no project named 'nobody'"),
    (["event", "dispatch", "x"], 40, "'x' is no source of events"),
    (["event", "dispatch", "nobody/x", "--data", "{"], 40, "--data is not JSON: line 1, column 2"),
    (["event", "dispatch", "nobody/x", "--data", "@nope.json"], 44, "--data @nope.json: no such file"),
    (["event", "redispatch", "evt_x"], 44, "there is no event evt_x"),
    (["event", "list", "--project", "nobody"], 44, "there is no project named 'nobody'"),
    (["event", "verify-filter", "true", "--data", "nope"], 40, "--data is not JSON"),
    (["store", "list", "nobody"], 44, "there is no project named 'nobody'"),
    (["store", "get", "nobody", "k"], 44, "there is no project named 'nobody'"),
    (["store", "set", "nobody", "k", "nope"], 40, "VALUE is not JSON"),
    (["store", "set", "nobody", "k", "1"], 44, "there is no project named 'nobody'"),
    (["store", "delete", "nobody", "k"], 44, "there is no project named 'nobody'"),
    (["session", "start", "nobody", "--entry", "a.py:b"], 44, "there is no project named 'nobody'"),
    (["session", "start", "nobody", "--entry", "main"], 40, "'main' is not an entry point"),
    (["session", "start", "nobody"], 2, "Missing option '--entry'"),
    (["session", "start", "nobody", "--entry", "a.py:b", "--memo", "x"], 40, "--memo x: there is no `=` in it"),
    (["session", "get", "ses_7"], 44, "there is no session ses_7"),
    (["session", "log", "ses_7"], 44, "there is no session ses_7"),
    (["session", "prints", "ses_7"], 44, "there is no session ses_7"),
    (["session", "watch", "ses_7"], 44, "there is no session ses_7"),
    (["session", "stop", "ses_7"], 44, "there is no session ses_7"),
    (["session", "restart", "ses_7"], 44, "there is no session ses_7"),
    (["session", "delete", "ses_7"], 44, "there is no session ses_7"),
    (["session", "stop"], 2, "Missing argument 'SES'"),
    (["session", "list", "--state", "ASLEEP"], 2, "'ASLEEP' is not one of"),
    (["session", "list", "--project", "nobody"], 44, "there is no project named 'nobody'"),
    (["token", "create", "a b"], 40, "'a b' cannot be the name of a token"),
    (["token", "create", "a", "--scope", "all"], 2, "'all' is not one of"),
    (["token", "create", "a", "--expires-in", "soon"], 40, "'soon' is no length of time"),
    (["token", "create", "a", "--expires-in", "9999999d"], 40, "'9999999d' is no length of time"),
    (["token", "revoke", "nope"], 44, "there is no token nope"),
    (["token", "list", "--server", "localhost:1"], 40, "is no URL of a server"),
    (["token", "list", "--server", "http://127.0.0.1:9"], 42, "no server is running at http://127.0.0.1:9"),
    (["token", "list", "--token", "ak_wrong"], 41, "the token is not known here"),
    (["session", "list", "--token", "ä"], 41, "the token has characters"),
]


@pytest.mark.parametrize(("arguments", "code", "said"), BAD, ids=[" ".join(words) for words, *_ in BAD])
def test_bad_use(run: Run, tmp_path: Path, arguments: list[str], code: int, said: str) -> None:
    """Nothing on standard output, an error that says what, and the code that says whose fault it is."""
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "autokitteh.yaml").write_text("version: v2\nproject:\n  nam: x\n")
    (tmp_path / "broken.py").write_text("def main(:\n")
    (tmp_path / "fine.py").write_text(HELLO)

    ended = run(*arguments)

    assert (ended.code, ended.out) == (code, ""), ended.err
    assert ended.err.startswith("Error: ") and said in ended.err


def test_bad_use_changed_nothing(stage: Stage, run: Run) -> None:
    """After all that, there is no project that the tests of good use have not made."""
    names = [each["name"] for each in run("project", "list", "-j", "--limit", "1000").objects]

    assert all(re.fullmatch(r"(demo|project)_\d+", name) for name in names)
