"""What people at a service are to see besides its reply: sent after that, and forgotten if it cannot be sent."""

import logging
import threading
from functools import partial
from typing import Final

from autokitteh_server.core.workers import Workers
from autokitteh_server.integrations.asking import verify_answer
from autokitteh_server.integrations.errors import ServiceError
from autokitteh_server.integrations.spec import Http
from autokitteh_server.integrations.webhook import Message

_log = logging.getLogger(__name__)

#: So many may wait to be sent. A service that takes seconds for each must not fill the memory.
_MOST: Final = 100


class Messages:
    """Sends them, in threads of its own. Threads may share it."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self._workers = Workers("messages", 2)
        self._lock = threading.Lock()
        self._waiting = 0

    def send(self, message: Message) -> None:
        """Have a message sent. Returns at once."""
        with self._lock:
            if self._waiting >= _MOST:
                _log.warning("a message to a service is dropped: %d wait already", self._waiting)
                return
            self._waiting += 1
        self._workers.submit(partial(self._post, message))

    def close(self) -> None:
        """Send no more."""
        self._workers.close(within_s=1.0)

    def _post(self, message: Message) -> None:
        try:
            verify_answer(self._http("POST", message.url, json=dict(message.body)))
        except ServiceError as error:
            _log.warning("a message to a service could not be sent: it %s", error.message)
        finally:
            with self._lock:
                self._waiting -= 1
