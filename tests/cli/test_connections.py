"""`ak connection init` and `test`, for a server that runs, and a service that does not care who asks it."""

import io
import os
import pty
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import click
import pytest

from ak_process import Ended
from api.stage import Stage, staged
from autokitteh_server.cli.main import main
from sdk.fake_service import Fake, serving

Run = Callable[..., Ended]

TOKEN = "12:token-that-nobody-may-see"


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """A server that runs."""
    with staged(tmp_path_factory.mktemp("server")) as running:
        yield running


@pytest.fixture
def service() -> Iterator[Fake]:
    """Stands in for Telegram, and for Asana."""
    routes = {
        f"GET /bot{TOKEN}/getMe": {"ok": True, "result": {"id": 12, "username": "acme_bot"}},
        "GET /users/me": {"data": {"name": "Ann"}},
    }
    with serving(routes) as fake:
        yield fake


class Typist(io.StringIO):
    """A terminal at which answers are typed."""

    def isatty(self) -> bool:
        return True


@pytest.fixture
def run(stage: Stage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs `ak` in an empty folder, for this server."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("AK_DATA_DIR", str(stage.data_dir))

    def command(*arguments: str, stdin: str = "", typed: list[str] | None = None) -> Ended:
        monkeypatch.setattr(sys, "stdin", io.StringIO(stdin) if typed is None else Typist())
        answers = iter(typed or [])
        for name in ("visible_prompt_func", "hidden_prompt_func"):
            monkeypatch.setattr(click.termui, name, lambda text: next(answers))
        code = main(list(arguments))
        return Ended(code, *capsys.readouterr())

    return command


@pytest.fixture
def connection(stage: Stage, run: Run) -> Callable[[str], str]:
    """Makes a connection in a project of its own."""

    def make(integration: str) -> str:
        project = stage.name()
        assert run("project", "create", project).code == 0
        assert run("connection", "create", project, "conn", "--integration", integration).code == 0
        return f"{project}/conn"

    return make


def test_from_nothing_to_connected(run: Run, connection: Callable[[str], str], service: Fake, stage: Stage) -> None:
    """Before: init required. Then it is given its token, tried, and its variables are there: secret ones are."""
    which = connection("telegram")
    project = which.partition("/")[0]
    before = run("connection", "test", which)
    assert before.code == 1
    assert before.lines == ["conn: init required: it has no credentials yet", "Run `ak connection init`."]
    assert "init required" in run("connection", "list", project).out

    done = run(
        "connection", "init", which, "--set", "bot_token=@-", "--set", f"base_url={service.url}", stdin=TOKEN + "\n"
    )

    assert (done.code, done.lines) == (0, ["conn: ok: connected as acme_bot"]), done.err
    assert run("connection", "test", which).lines == ["conn: ok: connected as acme_bot"]
    assert "connected as acme_bot" in run("connection", "list", project).out
    shown = run("connection", "get", which, "-j").objects[0]
    assert (shown["auth_type"], shown["status"]["code"]) == ("botToken", "ok")
    assert shown["status"]["checked_at"]
    found = {each["name"]: (each["value"], each["is_secret"]) for each in run("var", "list", which, "-j").objects}
    assert found == {
        "BotToken": (None, True),
        "BotID": ("12", False),
        "auth_type": ("botToken", False),
        "base_url": (service.url, False),
    }
    assert TOKEN not in done.out + done.err


def test_change_makes_the_status_old(run: Run, connection: Callable[[str], str], service: Fake) -> None:
    """Once a variable is another one, what was tried says nothing any more."""
    which = connection("asana")
    assert run("connection", "init", which, "--set", "pat=t0ken-1", "--set", f"base_url={service.url}").code == 0
    assert run("var", "set", which, "pat", "t0ken-2").code == 0

    status = run("connection", "get", which, "-j").objects[0]["status"]

    assert (status["code"], status["checked_at"]) == ("warning", None)
    assert "have not been tried since" in status["message"]
    assert run("var", "get", which, "pat", "-j").objects[0]["is_secret"]


def test_wrong_credentials(run: Run, connection: Callable[[str], str], service: Fake) -> None:
    """They are kept, and the command fails: it says what is wrong, and how to mend it, without the secret."""
    service.good_tokens = set()
    which = connection("asana")

    done = run("connection", "init", which, "--set", "pat=hush-hush-hush", "--set", f"base_url={service.url}")

    assert done.code == 1
    assert done.lines[0].startswith("conn: error: Asana does not accept the credentials (401: ")
    assert "hush" not in done.out + done.err
    assert run("connection", "test", which).code == 1
    assert run("connection", "test", which, "-j").objects[0]["status"]["code"] == "error"


@pytest.mark.parametrize(
    ("integration", "arguments", "words"),
    [
        ("asana", [], "pat is missing: Personal Access Token"),
        ("asana", ["--set", "paat=x"], "asana has no field 'paat' for pat\nDid you mean pat?"),
        ("telegram", ["--set", "bot_token=nonsense"], "bot_token does not look like a value for Bot Token"),
        ("twilio", [], "twilio has several auth types"),
        ("twilio", ["--auth", "apiTokn"], "twilio has no auth type 'apiTokn'\nDid you mean apiToken?"),
        ("gmail", ["--auth", "json", "--set", "json={}"], "json is not the key of a service account"),
        ("asana", ["--set", "pat"], "there is no `=` in it"),
    ],
)
def test_wrong_forms(
    run: Run, connection: Callable[[str], str], integration: str, arguments: list[str], words: str
) -> None:
    """What is wrong is named, how to mend it is told, and nothing is stored."""
    which = connection(integration)

    done = run("connection", "init", which, *arguments)

    assert done.code == 40
    assert words in done.err
    assert run("var", "list", which, "-j").objects == []


def test_asking_on_a_terminal(run: Run, connection: Callable[[str], str], service: Fake) -> None:
    """It asks for the way and the fields that are not given; the second time an empty answer keeps what is there."""
    which = connection("twilio")
    service.routes["GET /2010-04-01/Accounts/AC01.json"] = {"friendly_name": "Acme"}
    base_url = f"base_url={service.url}"

    done = run("connection", "init", which, "--set", base_url, typed=["apiToken", "AC01", "hush-hush"])

    assert (done.code, done.lines) == (0, ["conn: ok: connected as Acme"]), done.err
    again = run("connection", "init", which, "--auth", "apiToken", typed=["", "hush-hush-2"])
    assert again.code == 0, again.err
    values = {each["name"]: each["value"] for each in run("var", "list", which, "--reveal", "-j").objects}
    assert values["AccountSID"] == values["Username"] == "AC01"
    assert values["Password"] == "hush-hush-2"


def test_secrets_are_typed_blindly(stage: Stage, connection: Callable[[str], str], service: Fake) -> None:
    """At a real terminal nobody who looks over a shoulder sees the secret."""
    which = connection("asana")
    arguments = [sys.executable, "-m", "autokitteh_server", "connection", "init", which]
    process, terminal = pty.fork()
    if process == 0:  # the command
        environ = {**os.environ, "AK_DATA_DIR": str(stage.data_dir), "TERM": "dumb"}
        os.execvpe(sys.executable, [*arguments, "--set", f"base_url={service.url}"], environ)
    shown = b""
    while b"my-apps): " not in shown:
        shown += os.read(terminal, 1000)
    os.write(terminal, b"hush-hush-hush\n")
    try:
        while more := os.read(terminal, 1000):
            shown += more
    except OSError:
        pass  # how Linux tells that the other end is closed
    os.close(terminal)

    assert os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) == 0
    assert b"hush" not in shown
    assert b"conn: ok: connected as Ann" in shown
    assert service.last().token == "Bearer hush-hush-hush"


def test_another_way_to_authenticate(run: Run, connection: Callable[[str], str], service: Fake) -> None:
    """What the way before had is gone, lest the client take it."""
    which = connection("jira")
    service.routes["GET /rest/api/3/myself"] = {"accountId": "1", "displayName": "Ann"}
    service.routes["GET /rest/api/2/myself"] = {"name": "ann"}
    site = f"base_url={service.url}"
    assert run("connection", "init", which, "--set", site, "--set", "token=t0ken-1", "--set", "email=a@b.c").code == 0

    done = run("connection", "init", which, "--auth", "pat", "--set", site, "--set", "token=t0ken-2")

    assert done.lines == ["conn: ok: connected as ann"], done.err
    names = {each["name"] for each in run("var", "list", which, "-j").objects}
    assert names == {"auth_type", "BaseURL", "Token"}


def test_consent_for_an_app_that_is_not_there(run: Run, connection: Callable[[str], str]) -> None:
    """Where somebody has to agree to an app that the server has not, the command says how to give it one."""
    done = run("connection", "init", connection("notion"), "--auth", "oauthDefault")

    assert done.code == 42
    assert "NOTION_CLIENT_ID is not set" in done.err
