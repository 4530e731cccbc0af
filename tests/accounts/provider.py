"""A service with OAuth, of the tests' own: real HTTP and redirects, codes, PKCE, rotation, and ways to fail.

All that is secret in it begins with `s3cr3t`, so that tests find it wherever it must not be.
"""

import base64
import hashlib
import itertools
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

CLIENT_ID = "the-app"
CLIENT_SECRET = "s3cr3t-of-the-app"


@dataclass(frozen=True)
class Code:
    """What a person's yes is worth."""

    redirect_uri: str
    challenge: str


@dataclass(frozen=True)
class Asked:
    """A request for a token."""

    form: dict[str, str]
    authorization: str


@dataclass
class Provider:
    """What it has given out, and how it behaves."""

    url: str = ""
    needs_pkce: bool = False
    rotates: bool = True
    lasts_s: int = 3600
    declines: dict[str, str] = field(default_factory=dict)  # what it sends browsers back with, instead of a code
    fails_with: tuple[int, bytes] | None = None  # what its token end point answers instead
    hangs: threading.Event = field(default_factory=threading.Event)  # cleared: it does not answer until it is set
    extra: dict[str, Any] = field(default_factory=dict)  # what is in each answer, too
    authorized: list[dict[str, str]] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    entered: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))  # once for each request
    codes: dict[str, Code] = field(default_factory=dict)
    good_access: str = ""  # the newest; older ones are refused
    good_refresh: set[str] = field(default_factory=set)
    pages: dict[str, Any] = field(default_factory=dict)  # of its API, by path; for callers with a good token
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def __post_init__(self) -> None:
        self.hangs.set()

    def revoke(self) -> None:
        """The person has changed their mind."""
        self.good_access = ""
        self.good_refresh.clear()

    def requests(self, grant: str) -> list[Asked]:
        """Requests for tokens by this way."""
        return [each for each in self.asked if each.form.get("grant_type") == grant]

    def authorize(self, query: dict[str, str]) -> str:
        """The person says yes at once; where the browser goes then."""
        self.authorized.append(query)
        if query.get("client_id") != CLIENT_ID or query.get("response_type") != "code":
            return ""
        if self.needs_pkce and query.get("code_challenge_method") != "S256":
            return ""
        answer = dict(self.declines)
        if not answer:
            code = f"s3cr3t-code-{next(self._numbers)}"
            self.codes[code] = Code(query["redirect_uri"], query.get("code_challenge", ""))
            answer = {"code": code}
        return f"{query['redirect_uri']}?{urlencode(answer | {'state': query.get('state', '')})}"

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, bytes]:
        self.asked.append(Asked(form, authorization))
        self.entered.release()
        self.hangs.wait()
        if self.fails_with is not None:
            return self.fails_with
        match form.get("grant_type"):
            case "authorization_code" | "refresh_token" if not self._knows(form, authorization):
                return 401, b'{"error": "invalid_client"}'
            case "authorization_code":
                return self._exchange(form)
            case "refresh_token":
                return self._refresh(form)
            case "client_credentials" | "account_credentials" | "urn:ietf:params:oauth:grant-type:jwt-bearer":
                return self._give({})
        return 400, b'{"error": "unsupported_grant_type"}'

    def _knows(self, form: dict[str, str], authorization: str) -> bool:
        basic = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        in_body = (form.get("client_id"), form.get("client_secret")) == (CLIENT_ID, CLIENT_SECRET)
        return in_body or authorization == f"Basic {basic}"

    def _exchange(self, form: dict[str, str]) -> tuple[int, bytes]:
        code = self.codes.pop(form["code"], None)
        if code is None or code.redirect_uri != form.get("redirect_uri"):
            return _refused("invalid_grant", f"the code {form['code']} is not good")
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if code.challenge and base64.urlsafe_b64encode(digest).decode().rstrip("=") != code.challenge:
            return _refused("invalid_grant", "another verifier")
        return self._give({"refresh_token": self._new_refresh()})

    def _refresh(self, form: dict[str, str]) -> tuple[int, bytes]:
        if form["refresh_token"] not in self.good_refresh:
            return _refused("invalid_grant", f"the token {form['refresh_token']} was revoked")
        if not self.rotates:
            return self._give({})
        self.good_refresh.remove(form["refresh_token"])
        return self._give({"refresh_token": self._new_refresh()})

    def _new_refresh(self) -> str:
        token = f"s3cr3t-refresh-{next(self._numbers)}"
        self.good_refresh.add(token)
        return token

    def _give(self, more: dict[str, Any]) -> tuple[int, bytes]:
        self.good_access = f"s3cr3t-access-{next(self._numbers)}"
        answer = {"access_token": self.good_access, "token_type": "Bearer", "expires_in": self.lasts_s}
        return 200, json.dumps(answer | more | self.extra).encode()


def _refused(error: str, description: str) -> tuple[int, bytes]:
    return 400, json.dumps({"error": error, "error_description": description}).encode()


@contextmanager
def providing(**behaviour: Any) -> Iterator[Provider]:
    """A service on a free port of this machine."""
    provider = Provider(**behaviour)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            if parts.path == "/authorize":
                location = provider.authorize(dict(parse_qsl(parts.query)))
                self.send_response(302 if location else 400)
                if location:
                    self.send_header("Location", location)
                self.end_headers()
                return
            is_good = provider.good_access and self.headers.get("Authorization") == f"Bearer {provider.good_access}"
            page = provider.pages.get(parts.path)
            if not is_good and not (parts.path.startswith("/app/") and page):
                self._send(401, b'{"error": "invalid_token"}')
            else:
                self._send(404 if page is None else 200, json.dumps(page).encode())

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            path = urlsplit(self.path).path
            if path == "/forget":  # the access token is good no more; it can be renewed
                provider.good_access = ""
                self._send(200, b"{}")
                return
            page = provider.pages.get(path)
            if page is not None:
                provider.asked.append(Asked(dict(parse_qsl(body)), self.headers.get("Authorization", "")))
                self._send(201, json.dumps(page).encode())
                return
            self._send(*provider.token(dict(parse_qsl(body)), self.headers.get("Authorization", "")))

        def _send(self, status: int, content: bytes) -> None:
            try:
                self.send_response(status)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)
            except OSError:
                pass  # whoever asked waits no longer

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    provider.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield provider
    finally:
        provider.hangs.set()
        server.shutdown()
        thread.join()
        server.server_close()
