"""All of `ak up`: the application behind a port, and the note by which `ak` finds it."""

import json
import os
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Self

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from autokitteh_server.accounts.refresh import FindIntegration, Mark
from autokitteh_server.api.app import OPEN_PATHS, make_app
from autokitteh_server.api.guard import AllowedHosts
from autokitteh_server.api.log_hub import LogHub
from autokitteh_server.api.network import Network, bind
from autokitteh_server.api.service_doors import open_paths
from autokitteh_server.application import Application
from autokitteh_server.config import Settings
from autokitteh_server.core.clock import Clock
from autokitteh_server.core.errors import FailedPrecondition
from autokitteh_server.core.server_note import SERVER_FILE
from autokitteh_server.operations import connecting
from autokitteh_server.operations.tokens import write_first_token
from autokitteh_server.telemetry.metrics import CONTENT_TYPE, render_metrics

_SWITCH_INTERVAL_S = 0.002


class Serving:
    """A whole server. Use it in a `with` statement, which stops it."""

    def __init__(
        self,
        settings: Settings,
        *,
        environ: Mapping[str, str],
        clock: Clock | None = None,
        on_end: Callable[[], None] = lambda: None,
        find_integration: FindIntegration = connecting.form_of,
        mark: Mark | None = None,
    ) -> None:
        """Take the port and the data folder, and start nothing.

        `on_end` is called, from another thread, when the network has ended, wanted or not. Raises FailedPrecondition
        if another server has either, and what `Application` raises.
        """
        host, port = settings.http.host_and_port
        self._hub = LogHub()
        self._is_running = False
        try:
            self._socket = bind(host, port)
        except FailedPrecondition:
            # It may be the server of this very folder; then that is the thing to say.
            Application(settings, environ=environ).close()
            raise
        port = self._socket.getsockname()[1]
        shown = f"[{host}]" if ":" in host else host
        self.settings = replace(settings, http=replace(settings.http, addr=f"{shown}:{port}"))
        self.url = f"http://{'127.0.0.1' if host in ('0.0.0.0', '::', '') else shown}:{port}"
        try:
            self.application = Application(
                self.settings,
                environ=environ,
                clock=clock,
                listener=self._hub,
                find_integration=find_integration,
                mark=mark,
            )
        except BaseException:
            self._socket.close()
            raise
        self._network = Network(self._web(), self._socket, on_end=on_end)

    def start(self) -> int:
        """Begin to work; how many unfinished sessions were found."""
        # Threads hand events to one another. At the default of 5 ms whoever has one waits for that long, now and then,
        # until whoever is busy lets him.
        sys.setswitchinterval(_SWITCH_INTERVAL_S)
        found = self.application.start()
        self._is_running = True
        write_first_token(self.application.services, self.settings.data_dir)
        self._network.start()
        _write_note(self.settings.data_dir / SERVER_FILE, self.url)
        return found

    def close(self) -> None:
        """Stop, in this order: followers of logs are sent away, no more requests, and then the application."""
        self._is_running = False
        self._hub.close()
        self._network.stop()
        (self.settings.data_dir / SERVER_FILE).unlink(missing_ok=True)
        self.application.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _web(self) -> Starlette:
        http = self.settings.http
        return make_app(
            self.application.services,
            hub=self._hub,
            hosts=AllowedHosts(http.host_and_port[0], http.public_url, http.allowed_hosts),
            extra_routes=[
                *self.application.ingress.routes(),
                *self.application.service_events.doors.routes(),
                *self.application.oauth_pages.routes(),
                Route("/metrics", self._show_metrics),
            ],
            open_paths=(*OPEN_PATHS, *open_paths()),
            is_ready=lambda: self._is_running,
            instruments=self.application.metrics,
        )

    def _show_metrics(self, _: Request) -> Response:
        """Without a token, as health is; but only under the server's own names."""
        return Response(render_metrics(self.application.metrics), media_type=CONTENT_TYPE)


def _write_note(path: Path, url: str) -> None:
    """Tell `ak` where the server is. Whole or not at all: somebody may be reading it."""
    new = path.with_suffix(".new")
    new.write_text(json.dumps({"url": url, "pid": os.getpid()}) + "\n")
    new.replace(path)
