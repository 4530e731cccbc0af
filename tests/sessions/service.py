"""A small HTTP service, for programs that talk to one."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self


class Service:
    """Serves on a port of this machine for as long as the `with` statement lasts.

    `/login` sets a cookie, `/whoami` tells the cookies it was sent, everything below `/v1/` is refused with 429.
    """

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, name="service", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/login":
            self._answer(200, {"welcome": True}, {"Set-Cookie": "ticket=abc; Path=/"})
        else:
            self._answer(200, {"path": self.path, "cookies": self.headers.get("Cookie", "")})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.path.startswith("/v1/"):
            error = {"message": "slow down", "type": "requests", "param": None, "code": "rate_limit_exceeded"}
            self._answer(429, {"error": error}, {"x-request-id": "req-1"})
        else:
            self._answer(201, {"path": self.path})

    def _answer(self, status: int, value: object, headers: dict[str, str] | None = None) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        for name, text in (headers or {}).items():
            self.send_header(name, text)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        pass
