"""Stand-ins for services, over real HTTP: as much of each as an example asks of it."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


@dataclass
class Fake:
    """A service, and what it was asked."""

    url: str = ""
    asked: list[tuple[str, str, Any]] = field(default_factory=list)  # method, path, what was sent

    def answer(self, method: str, path: str, sent: Any, headers: Any) -> tuple[int, Any]:
        """What it answers. For subclasses."""
        raise NotImplementedError


class Slack(Fake):
    """Slack's Web API with one token, which takes messages."""

    def answer(self, method: str, path: str, sent: Any, headers: Any) -> tuple[int, Any]:
        if headers["authorization"] != "Bearer xoxb-good":
            return 200, {"ok": False, "error": "invalid_auth"}
        if path == "/api/auth.test":
            return 200, {"ok": True, "user": "bot", "team": "cats"}
        assert path == "/api/chat.postMessage", path
        return 200, {"ok": True, "channel": sent["channel"], "ts": "1.1", "message": {"text": sent["text"]}}


class Sheets(Fake):
    """Google's API for sheets, which takes values."""

    def answer(self, method: str, path: str, sent: Any, headers: Any) -> tuple[int, Any]:
        if headers["authorization"] != "Bearer good":
            return 401, {"error": {"code": 401, "message": "bad token"}}
        sheet_id, cells = path.split("/")[3], path.split("/")[5].partition("?")[0]
        return 200, {"spreadsheetId": sheet_id, "updatedRange": cells.replace("%21", "!").replace("%3A", ":")}


@contextmanager
def running(fake: Fake) -> Iterator[Fake]:
    """Serve a fake, on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            sent = _decode(body, self.headers.get("content-type", ""))
            path = urlsplit(self.path).path
            fake.asked.append((self.command, path, sent))
            status, reply = fake.answer(self.command, path, sent, self.headers)
            content = json.dumps(reply).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_PUT = do_GET = do_POST

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    fake.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield fake
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _decode(body: bytes, content_type: str) -> Any:
    if content_type.startswith("application/json"):
        return json.loads(body or b"null")
    return {name: values[0] for name, values in parse_qs(body.decode()).items()}
