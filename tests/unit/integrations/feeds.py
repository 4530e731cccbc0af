"""Stand-ins for services that are told where to send events, and asked for them, over real HTTP; and lines to them."""

import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from autokitteh_server.integrations.feed import Feed, Line, Registration
from autokitteh_server.integrations.http import ServiceHttp
from autokitteh_server.integrations.webhook import Secret, Webhook
from deliveries import FORM, NOW_S, request

PUBLIC_URL = "https://ak.example.com"


@dataclass(frozen=True)
class Asked:
    """A request, as a service got it."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]  # names in lower case
    json: Any  # a form, too, by its names


#: A status, and what is answered as JSON, or as it is, if that is bytes; the status 0 breaks the connection off.
Answer = tuple[int, Any]


@contextmanager
def serving(answer: Callable[[Asked], Answer]) -> Iterator[str]:
    """The address of a service, on a port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do(self) -> None:
            parts = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            is_form = headers.get("content-type", "").startswith(FORM)
            value = dict(parse_qsl(body.decode())) if is_form else json.loads(body) if body else None
            status, told = answer(Asked(self.command, parts.path, dict(parse_qsl(parts.query)), headers, value))
            if not status:
                return
            content = told if isinstance(told, bytes) else b"" if told is None else json.dumps(told).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=partial(server.serve_forever, 0.01), name="service")
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@dataclass
class Connection:
    """A connection as the server has it: what a feed gives is kept, as the engine does."""

    url: str  # of its service
    api: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    id: str = "con_1"
    public_url: str = PUBLIC_URL
    now: int = int(NOW_S) * 1_000_000
    secrets_made: int = 0

    def line(self) -> Line:
        """The way to the service, as things are now."""
        return Line(
            connection_id=self.id,
            variables=dict(self.variables),
            http=ServiceHttp(now_s=lambda: self.now // 1_000_000, api=self.api, base_url=self.url),
            public_url=self.public_url,
            environ={},
            now=self.now,
            new_secret=self._new_secret,
        )

    def tell(self, feed: Feed) -> Registration:
        """Have the service told, as the engine does: what it is known by is kept before."""
        self.keep(feed.prepare(self.line()))
        assert feed.register is not None
        return feed.register(self.line())

    def keep(self, variables: Mapping[str, str]) -> None:
        """Store variables; those that are "" go away."""
        self.variables |= variables
        self.variables = {name: value for name, value in self.variables.items() if value}

    def secrets_for(self, webhook: Webhook, path: str) -> tuple[Secret, ...]:
        """The secrets that a request at this path may be signed with."""
        names = webhook.variables_for(request(path))
        found = ((name, self.variables.get(name, "")) for name in names)
        return tuple(Secret(value=value, name=name, owner=self.id) for name, value in found if value)

    def _new_secret(self) -> str:
        self.secrets_made += 1
        return f"{self.id.replace('_', '')}secret{self.secrets_made}"


def path_of(url: str, integration: str) -> str:
    """What follows the integration's name in an address that a service was told."""
    prefix = f"{PUBLIC_URL}/{integration}/"
    assert url.startswith(prefix), url
    return url.removeprefix(prefix)
