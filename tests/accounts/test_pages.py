"""A whole server, a browser with cookies, and a service: what the person sees, and what the server's log has."""

import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from accounts.provider import Provider, providing
from accounts.stage import ENVIRON, integration_of, query_of
from autokitteh_runner.protocol import Limits
from autokitteh_server.client.client import Client
from autokitteh_server.client.discovery import Address, find_server
from autokitteh_server.config import HttpSettings, Settings
from autokitteh_server.core.api_types.builds import Deploy
from autokitteh_server.core.api_types.session_log import LogLine
from autokitteh_server.core.api_types.sessions import Session, StartSession
from autokitteh_server.core.clock import SystemClock
from autokitteh_server.core.errors import ServerError
from autokitteh_server.operations import variables
from autokitteh_server.serving import Serving
from harness import UNCONFINED

PATIENCE_S = 60.0
MANIFEST = b"version: v2\nproject:\n  name: p\n  connections:\n    - name: conn\n      integration: slack\n"


class Shifted(SystemClock):
    """The machine's clock, which a test sets forward."""

    shift_us = 0

    def now_us(self) -> int:
        return super().now_us() + self.shift_us


class Here:
    """A server with one connection, and a browser."""

    def __init__(self, serving: Serving, clock: Shifted) -> None:
        self.serving = serving
        self.clock = clock
        self.services = serving.application.services
        self.client = Client(Address(url=serving.url, token=find_server(serving.settings.data_dir).token))
        self.browser = browser()

    def link(self) -> str:
        """Where a browser begins."""
        return self.client.connections.begin_oauth("p/conn", "oauthDefault").url

    def values(self, *, reveal: bool = True) -> dict[str, str | None]:
        return {var.name: var.value for var in variables.list_all(self.services, "p/conn", reveal=reveal)}


def browser() -> httpx.Client:
    return httpx.Client(follow_redirects=True, timeout=PATIENCE_S, trust_env=False)


@contextmanager
def serving(folder: Path, provider: Provider, service_url: str = "", **settings: Any) -> Iterator[Here]:
    clock = Shifted()
    defaults: dict[str, Any] = {"durable": False, "stop_grace_s": 0.0, "limits": Limits(memory_bytes=1024**3)}
    integration = integration_of(provider, "slack", uses_pkce=True)
    with Serving(
        Settings(
            data_dir=folder / "data",
            http=HttpSettings(addr="127.0.0.1:0", service_url=service_url),
            **(defaults | UNCONFINED | settings),
        ),
        environ={**os.environ, **ENVIRON},
        clock=clock,
        find_integration=lambda _: integration,
    ) as made:
        made.start()
        here = Here(made, clock)
        with here.browser:
            yield here
        here.client.close()


@pytest.fixture
def provider() -> Iterator[Provider]:
    with providing(needs_pkce=True, extra={"ok": True}) as made:
        yield made


@pytest.fixture
def here(tmp_path: Path, provider: Provider) -> Iterator[Here]:
    with serving(tmp_path, provider) as made:
        made.client.projects.deploy(Deploy(files={"autokitteh.yaml": MANIFEST, "program.py": b""}))
        yield made


def assert_page(answer: httpx.Response, status: int, *texts: str) -> None:
    """It is a page of ours with these texts, that tells nobody anything."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert answer.headers["cache-control"] == "no-store"
    assert "default-src 'none'" in answer.headers["content-security-policy"]
    for text in texts:
        assert text in answer.text
    assert "s3cr3t" not in answer.text


def test_a_browser_connects_a_connection(here: Here, caplog: pytest.LogCaptureFixture, tmp_path: Path) -> None:
    """By the link that the API gives, over the service, and back; and no log and no file has what is secret."""
    caplog.set_level(logging.DEBUG, "autokitteh_server")
    link = here.link()

    answer = here.browser.get(link)

    assert_page(answer, 200, "<h1>Connected</h1>", "Connection conn can use The Service now.")
    assert here.values()["oauth_access_token"] == "s3cr3t-access-3"
    assert here.values(reveal=False)["oauth_access_token"] is None
    assert not here.browser.cookies
    assert "s3cr3t" not in caplog.text
    for path in (tmp_path / "data").rglob("*"):
        assert not path.is_file() or b"s3cr3t" not in path.read_bytes(), path


def test_the_cookie_goes_nowhere_else(here: Here) -> None:
    """It is for the way back, and no page's code can read it."""
    link = here.link()

    answer = here.browser.get(link, follow_redirects=False)

    assert answer.status_code == 302
    assert re.fullmatch(
        r"ak_oauth_[0-9a-f]{16}=\w{26}; HttpOnly; Max-Age=600; Path=/oauth/redirect; SameSite=lax",
        answer.headers["set-cookie"],
    )


def test_behind_a_proxy_all_goes_by_the_public_address(tmp_path: Path, provider: Provider) -> None:
    """The link, the way back, and a cookie that goes by https only; other names are not listened to."""
    with serving(tmp_path, provider, service_url="https://ak.example.com") as here:
        here.client.projects.deploy(Deploy(files={"autokitteh.yaml": MANIFEST, "program.py": b""}))
        link = here.link()
        assert link.startswith("https://ak.example.com/oauth/start/slack?cid=con_")
        path = link.removeprefix("https://ak.example.com")

        refused = here.browser.get(f"{here.serving.url}{path}", headers={"Host": "evil.example"})
        sent = here.browser.get(f"{here.serving.url}{path}", headers={"Host": "ak.example.com"}, follow_redirects=False)

    assert refused.status_code == 421
    assert sent.headers["set-cookie"].endswith("; Path=/oauth/redirect; SameSite=lax; Secure")
    asked = query_of(sent.headers["location"])
    assert asked["redirect_uri"] == "https://ak.example.com/oauth/redirect/slack"


def test_the_page_says_what_went_wrong(here: Here, provider: Provider) -> None:
    """Used up, forged, another browser's, too old, refused, or nothing at all: each in words, and nothing is stored."""
    back = f"{here.serving.url}/oauth/redirect/slack"
    assert_page(here.browser.get(back), 400, "There is nothing to finish here")
    assert_page(here.browser.get(f"{here.serving.url}/oauth/start/slack"), 400, "used already")
    assert_page(here.browser.get(back, params={"state": "ak1.x.y", "code": "c"}), 400, "not made by this server")

    url = here.link()
    location = here.browser.get(url, follow_redirects=False).headers["location"]
    returned = here.browser.get(location, follow_redirects=False).headers["location"]
    with browser() as other:
        assert_page(other.get(returned), 403, "begun in another browser")
    here.clock.shift_us = 600_000_000
    assert_page(here.browser.get(returned), 400, "longer than ten minutes")
    here.clock.shift_us = 0
    assert_page(here.browser.get(url), 400, "used already")

    provider.declines = {"error": "access_denied", "error_description": "<script>alert(1)</script>"}
    answer = here.browser.get(here.link())
    assert_page(answer, 400, "The service says: &lt;script&gt;alert(1)&lt;/script&gt; (access_denied).")
    provider.declines = {}
    provider.fails_with = (500, b"s3cr3t stack trace")
    assert_page(here.browser.get(here.link()), 502, "127.0.0.1 has answered with status 500.")
    provider.fails_with = None
    assert here.values() == {}
    assert_page(here.browser.get(here.link()), 200)


def test_looking_whether_a_link_is_there_does_not_use_it_up(here: Here) -> None:
    """As programs do that make previews of links."""
    link = here.link()

    assert here.browser.head(link).status_code == 200

    assert_page(here.browser.get(link), 200)


def test_only_callers_of_the_api_can_begin(here: Here) -> None:
    """And those who may change things."""
    url = f"{here.serving.url}/api/v1/connections/conn/oauth?project=p"
    assert httpx.post(url, json={}, trust_env=False).status_code == 401
    with pytest.raises(ServerError, match="is not connected yet"):
        here.client.connections.begin_oauth("p/conn")
    with pytest.raises(ServerError, match="has no connection 'other'"):
        here.client.connections.begin_oauth("p/other", "oauthDefault")


PROGRAM = """
from autokitteh.oauth2_session import OAuth2Session

client = OAuth2Session("slack", "conn", base_url="ADDRESS")


def main(event):
    print(client.get("/api/me").json()["name"])
    client.post("/forget")
    print(client.get("/api/me").json()["name"])
"""


@pytest.mark.parametrize("effects_per_turn", [None, 1], ids=["one process", "replayed after each effect"])
def test_a_durable_session_outlives_its_token(
    tmp_path: Path, provider: Provider, effects_per_turn: int | None, caplog: pytest.LogCaptureFixture
) -> None:
    """What the API refuses with 401 is asked again with a token that the server has got meanwhile."""
    provider.pages["/api/me"] = {"name": "ann"}
    caplog.set_level(logging.DEBUG, "autokitteh_server")
    program = PROGRAM.replace("ADDRESS", provider.url).encode()
    with serving(tmp_path, provider, effects_per_turn=effects_per_turn) as here:
        here.client.projects.deploy(Deploy(files={"autokitteh.yaml": MANIFEST, "program.py": program}))
        assert_page(here.browser.get(here.link()), 200)
        here.clock.shift_us = 60_000_000  # so that the first token is no new one any more
        started = here.client.sessions.start(StartSession(project="p", entry="program.py:main", durable=True))
        *lines, last = here.client.sessions.log(started.id, follow=True)
        assert isinstance(last, Session)
        prints = [line.text for line in lines if isinstance(line, LogLine) and line.kind == "print"]

        assert (last.state, last.error) == ("COMPLETED", None)
        assert prints == ["ann", "ann"]
        assert len(provider.requests("refresh_token")) == 1
        assert here.values()["oauth_access_token"] == provider.good_access
    assert "s3cr3t" not in caplog.text
    for path in (tmp_path / "data").rglob("*"):
        assert not path.is_file() or b"s3cr3t" not in path.read_bytes(), path


REFUSED = """
from autokitteh import AutoKittehError
from autokitteh.connections import encode_jwt, refresh_oauth


def main(event):
    for name in ("conn", "nobody"):
        try:
            refresh_oauth("slack", name)
        except AutoKittehError as error:
            print(error)
        try:
            encode_jwt({"iss": 1}, name)
        except AutoKittehError as error:
            print(error)
"""


def test_a_session_is_told_why_it_gets_no_token(tmp_path: Path, provider: Provider) -> None:
    """In the service's words, without a secret."""
    with serving(tmp_path, provider) as here:
        here.client.projects.deploy(Deploy(files={"autokitteh.yaml": MANIFEST, "program.py": REFUSED.encode()}))
        assert_page(here.browser.get(here.link()), 200)
        here.clock.shift_us = 60_000_000
        provider.revoke()

        started = here.client.sessions.start(StartSession(project="p", entry="program.py:main", durable=True))
        *lines, last = here.client.sessions.log(started.id, follow=True)

    assert isinstance(last, Session)
    assert (last.state, last.error) == ("COMPLETED", None)
    assert [line.text for line in lines if isinstance(line, LogLine) and line.kind == "print"] == [
        "OAuth token of AutoKitteh connection 'conn' not refreshed: "
        "the service refuses: invalid_grant (the token *** was revoked)",
        "this server has no key of an app for the connection",
        "OAuth token of AutoKitteh connection 'nobody' not refreshed: the project has no connection 'nobody'",
        "the project has no connection 'nobody'",
    ]
