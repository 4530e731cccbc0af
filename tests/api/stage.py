"""A whole server behind a port, inside the test, and both ways to speak to it: typed, and as plain HTTP.

Each answer of plain HTTP is held against the server's own OpenAPI document.
"""

import functools
import itertools
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from jsonschema import Draft202012Validator
from starlette.routing import compile_path

from autokitteh_runner.protocol import Limits
from autokitteh_server.api.app import make_openapi
from autokitteh_server.client.client import Client
from autokitteh_server.client.discovery import Address, find_server
from autokitteh_server.config import HttpSettings, Settings
from autokitteh_server.core.api_types.builds import Deploy, Deployed
from autokitteh_server.core.api_types.sessions import Session
from autokitteh_server.serving import Serving
from harness import UNCONFINED

PATIENCE_S = 60.0

_numbers = itertools.count(1)

HELLO = """
def main(event):
    print("hello", event.data.get("name"))
    return {"n": 1}
"""


class Stage:
    """A server, and what tests do with it. Names are never used twice, so that tests can share one."""

    def __init__(self, serving: Serving, token: str) -> None:
        self.serving = serving
        self.services = serving.application.services
        self.url = serving.url
        self.data_dir = serving.settings.data_dir
        self.token = token
        self.client = Client(Address(url=self.url, token=token))
        self.http = self.plain(token)

    def plain(self, token: str = "", **headers: str) -> httpx.Client:
        """A client without types, whose paths begin below /api/v1."""
        if token:
            headers["authorization"] = f"Bearer {token}"
        return httpx.Client(
            base_url=f"{self.url}/api/v1",
            headers=headers,
            timeout=PATIENCE_S,
            trust_env=False,
            event_hooks={"response": [check_against_document]},
        )

    def name(self, stem: str = "project") -> str:
        """A name that nothing has."""
        return f"{stem}_{next(_numbers)}"

    def deploy(
        self, program: str | Mapping[str, str] = HELLO, *, name: str = "", triggers: str = "", more: str = ""
    ) -> Deployed:
        """Deploy code: of one file, program.py, or of several. `triggers` and `more` are lines of the manifest."""
        name = name or self.name()
        files = {"program.py": program} if isinstance(program, str) else dict(program)
        manifest = f"version: v2\nproject:\n  name: {name}\n{more}"
        manifest += f"  triggers:\n{triggers}" if triggers else ""
        contents = {path: text.encode() for path, text in {**files, "autokitteh.yaml": manifest}.items()}
        return self.client.projects.deploy(Deploy(files=contents))

    def wait(self, session_id: str) -> Session:
        """Wait until a session is over."""
        last = list(self.client.sessions.log(session_id, follow=True))[-1]
        assert isinstance(last, Session), "the server has ended"
        return last

    def close(self) -> None:
        self.client.close()
        self.http.close()


@contextmanager
def staged(folder: Path, **settings: Any) -> Iterator[Stage]:
    """A server that runs."""
    settings.setdefault("http", HttpSettings(addr="127.0.0.1:0"))
    defaults: dict[str, Any] = {"durable": False, "stop_grace_s": 0.0, "limits": Limits(memory_bytes=1024**3)}
    with Serving(
        Settings(data_dir=folder / "data", **(defaults | UNCONFINED | settings)), environ=os.environ
    ) as serving:
        serving.start()
        stage = Stage(serving, find_server(folder / "data").token)
        try:
            yield stage
        finally:
            stage.close()


def check_against_document(response: httpx.Response) -> None:
    """Raises if an answer is not one that the OpenAPI document foresees."""
    if response.headers.get("content-type", "").startswith("text/event-stream"):
        return
    response.read()
    operation = _find_operation(response.request)
    if operation is None:
        _validator("#/components/schemas/Failure").validate(response.json())
        return
    foreseen = operation["responses"][str(response.status_code)]
    if "content" not in foreseen:
        assert response.content == b""
        return
    _validator(None, foreseen["content"]["application/json"]["schema"]).validate(response.json())


def _find_operation(request: httpx.Request) -> dict[str, Any] | None:
    for pattern, operations in _patterns():
        if pattern.fullmatch(request.url.path):
            found: dict[str, Any] | None = operations.get(request.method.lower())
            return found
    return None


@functools.cache
def _document() -> dict[str, Any]:
    return make_openapi()


@functools.cache
def _patterns() -> list[tuple[Any, dict[str, Any]]]:
    # Paths without parameters first: /events/verify-filter is also of the form /events/{event}.
    paths = sorted(_document()["paths"].items(), key=lambda item: "{" in item[0])
    return [(compile_path(path)[0], operations) for path, operations in paths]


def _validator(ref: str | None, schema: dict[str, Any] | None = None) -> Draft202012Validator:
    whole = {"components": _document()["components"], **(schema or {"$ref": ref})}
    return Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER)
