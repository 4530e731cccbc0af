"""A stand-in for any service, over real HTTP: routes with canned answers, and a list of what was asked."""

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Asked:
    """A request, as the service got it."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]  # names in lower case
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def form(self) -> dict[str, str]:
        return dict(parse_qsl(self.body.decode()))

    @property
    def token(self) -> str:
        return self.headers.get("authorization", "")


#: A JSON value, a status and a JSON value, where to look instead, or a function that gives one of these.
Answer = Any


@dataclass(frozen=True)
class Moved:
    """An answer that says where to look instead."""

    location: str


@dataclass
class Fake:
    """A service: what it answers to "GET /path", and what it was asked. 404 for all else."""

    routes: dict[str, Answer]
    good_tokens: set[str] | None = None  # the others get 401
    url: str = ""
    asked: list[Asked] = field(default_factory=list)

    def answer(self, asked: Asked) -> tuple[int, Any]:
        """The status and the value."""
        if self.good_tokens is not None and asked.token not in self.good_tokens:
            return 401, {"error": "invalid_token", "message": "Bad credentials", "ok": False}
        answer = self.routes.get(f"{asked.method} {asked.path}")
        if answer is None:
            return 404, {"error": f"no route {asked.method} {asked.path}"}
        if isinstance(answer, Callable):  # type: ignore[arg-type]
            answer = answer(asked)
        return answer if isinstance(answer, tuple) else (200, answer)

    def last(self) -> Asked:
        """The newest request."""
        return self.asked[-1]


@contextmanager
def serving(routes: dict[str, Answer], good_tokens: set[str] | None = None) -> Iterator[Fake]:
    """A service on a free port of this machine."""
    fake = Fake(routes, good_tokens)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            headers = {name.lower(): value for name, value in self.headers.items()}
            body = self.rfile.read(int(headers.get("content-length") or 0))
            asked = Asked(self.command, parts.path, dict(parse_qsl(parts.query)), headers, body)
            fake.asked.append(asked)
            status, value = fake.answer(asked)
            moved = isinstance(value, Moved)
            content = b"" if moved else json.dumps(value).encode()
            self.send_response(302 if moved else status)
            if moved:
                self.send_header("Location", value.location)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_POST = do_PUT = do_PATCH = do_DELETE = do_GET

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True  # clients keep connections open
    fake.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
