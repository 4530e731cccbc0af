"""A package index on this machine, with packages that tests make up: what pip and uv know as a simple repository."""

import base64
import hashlib
import io
import threading
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Index:
    """Packages by name, and how often each file was fetched."""

    def __init__(self) -> None:
        self.wheels: dict[str, bytes] = {}
        self.fetched: Counter[str] = Counter()
        self.url = ""
        self.before_wheel: Callable[[], object] = lambda: None  # is called before a package is sent

    def add(self, name: str, modules: Mapping[str, str], version: str = "1.0") -> None:
        """Offer a package with these modules."""
        stem = f"{name.replace('-', '_')}-{version}"
        self.wheels[f"{stem}-py3-none-any.whl"] = _wheel(stem, name, version, modules)

    def requirements(self, *names: str) -> str:
        """A requirements.txt that takes packages from here alone."""
        return "\n".join([f"--index-url {self.url}", *names, ""])


@contextmanager
def package_index() -> Iterator[Index]:
    """An index that listens."""
    index = Index()
    server = ThreadingHTTPServer(("127.0.0.1", 0), lambda *args: _Handler(index, *args))
    index.url = f"http://127.0.0.1:{server.server_port}/simple/"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield index
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    def __init__(self, index: Index, *args: object) -> None:
        self._index = index
        super().__init__(*args)  # type: ignore[arg-type]

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        name = self.path.rstrip("/").rpartition("/")[2]
        self._index.fetched[name] += self.command == "GET"
        if name in self._index.wheels:
            if self.command == "GET":
                self._index.before_wheel()
            self._answer(200, "application/octet-stream", self._index.wheels[name])
            return
        files = [each for each in self._index.wheels if each.startswith(f"{name.replace('-', '_')}-")]
        page = "".join(f'<a href="/files/{each}">{each}</a>' for each in files)
        self._answer(200 if files else 404, "text/html", f"<!DOCTYPE html><html><body>{page}</body></html>".encode())

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


def _wheel(stem: str, name: str, version: str, modules: Mapping[str, str]) -> bytes:
    info = f"{stem}.dist-info"
    files = {f"{module}.py": text.encode() for module, text in modules.items()} | {
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},sha256={_digest(content)},{len(content)}\n" for path, content in files.items())
    files[f"{info}/RECORD"] = f"{record}{info}/RECORD,,\n".encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, content in files.items():
            archive.writestr(path, content)
    return packed.getvalue()


def _digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).decode().rstrip("=")
