"""Public keys of services, with which they sign: fetched when they are needed, and kept for an hour."""

import json
import logging
import threading
from collections.abc import Mapping
from typing import Final

from autokitteh_server.core.clock import Clock
from autokitteh_server.integrations.asking import ask_object, list_at, text_at
from autokitteh_server.integrations.errors import ServiceError
from autokitteh_server.integrations.spec import Http

_log = logging.getLogger(__name__)

_LIFE_US: Final = 3600 * 1_000_000

#: While they cannot be had, the old ones are good, and are asked for anew after this.
_RETRY_US: Final = 60_000_000


class PublicKeys:
    """JSON Web Keys by their ids, of as many addresses as are asked for. Threads may share it."""

    def __init__(self, http: Http, clock: Clock) -> None:
        self._http = http
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[str, tuple[Mapping[str, str], int]] = {}  # by address: the keys, and until when they are good

    def get(self, url: str) -> Mapping[str, str]:
        """The keys at an address, each as JSON, by id; those from before, or none, while they cannot be had."""
        with self._lock:  # one asks, and all who come meanwhile wait for what he gets
            keys, until = self._kept.get(url, ({}, 0))
            now = self._clock.now_us()
            if now < until:
                return keys
            try:
                keys, until = self._fetch(url), now + _LIFE_US
            except ServiceError as error:
                _log.warning("the service whose keys are at %s %s", url, error.message)
                until = now + _RETRY_US
            self._kept[url] = keys, until
            return keys

    def find(self, url: str) -> Mapping[str, str] | None:
        """What `get` gives, if that is known already; None if it is not. Waits for nobody, nor for those who ask."""
        keys, until = self._kept.get(url, ({}, 0))
        return keys if self._clock.now_us() < until else None

    def _fetch(self, url: str) -> Mapping[str, str]:
        found = list_at(ask_object(self._http, "GET", url), "keys")
        return {text_at(each, "kid"): json.dumps(each) for each in found if text_at(each, "kid")}
