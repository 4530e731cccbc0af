"""An application behind a port, served by a thread of its own."""

import socket
import threading
from collections.abc import Callable

import uvicorn
from starlette.types import ASGIApp

from autokitteh_server.core.errors import FailedPrecondition, InvalidArgument

_BACKLOG = 2048

#: For so long requests under way may go on once the server is told to stop.
_LAST_REQUESTS_S = 5

_START_S = 30.0


def bind(host: str, port: int) -> socket.socket:
    """A socket that listens. Port 0 takes a free one. Raises FailedPrecondition if it is taken, or not to be had."""
    where = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    except OSError as error:
        raise InvalidArgument(f"{where}: {host} is no address of this machine: {error.strerror}") from error
    listening = socket.socket(family, kind, protocol)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(_BACKLOG)
    except OSError as error:
        listening.close()
        raise FailedPrecondition(
            f"cannot listen on {where}: {error.strerror}", "Give another address with --addr HOST:PORT."
        ) from error
    return listening


class Network:
    """Serves an application on a socket that listens."""

    def __init__(self, app: ASGIApp, listening: socket.socket, *, on_end: Callable[[], None]) -> None:
        """`on_end` is called, in the thread, when it has ended for whatever reason."""
        self._config = uvicorn.Config(
            app,
            lifespan="off",
            log_config=None,  # logging is set up for the whole server
            access_log=False,
            server_header=False,
            proxy_headers=False,
            ws="none",
            timeout_graceful_shutdown=_LAST_REQUESTS_S,
        )
        self._server = _Server(self._config)
        self._socket = listening
        self._on_end = on_end
        self._thread = threading.Thread(target=self._run, name="network", daemon=True)

    def start(self) -> None:
        """Accept connections; returns once it does."""
        self._thread.start()
        self._server.is_serving.wait(_START_S)

    def stop(self) -> None:
        """Accept no more, let requests under way come to their ends for some seconds, and return when all is over."""
        self._server.should_exit = True
        if self._thread.ident is not None:
            self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        try:
            self._server.run(sockets=[self._socket])
        finally:
            self._server.is_serving.set()
            self._on_end()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.is_serving = threading.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.is_serving.set()
