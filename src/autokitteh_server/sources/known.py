"""The connections that services may call for, with their variables: read once for all who call within a second."""

import logging
import threading
from collections.abc import Iterator, Mapping
from typing import Final

from autokitteh_server.core.clock import Clock
from autokitteh_server.core.entities import Var
from autokitteh_server.secretbox.box import Box, CannotOpen
from autokitteh_server.storage import connections, variables
from autokitteh_server.storage.connection import Connection
from autokitteh_server.storage.database import Database

_log = logging.getLogger(__name__)

#: For so long what another server on the database has changed is not seen. What this one changes, it says.
_LIFE_US: Final = 1_000_000

#: Variables of connections, by the connections' ids.
Owners = Mapping[str, Mapping[str, str]]


class Known:
    """Threads may share it."""

    def __init__(self, database: Database, box: Box, clock: Clock) -> None:
        self._database = database
        self._box = box
        self._clock = clock
        self._lock = threading.Lock()
        self._kept: dict[tuple[str, ...], tuple[Owners, int]] = {}  # by integrations: who there is, and when that was

    def of(self, integrations: tuple[str, ...]) -> Owners:
        """Those of these integrations whose projects are deployed. Raises StorageUnavailable.

        A secret is opened when it is asked for. One that cannot be is as if it were not there: one connection's must
        not keep others from their events.
        """
        with self._lock:  # one reads, and all who come meanwhile get what he finds
            found = self.find(integrations)
            if found is None:
                now = self._clock.now_us()
                found = self._database.read(lambda conn: self._read(conn, integrations))
                self._kept[integrations] = found, now
            return found

    def find(self, integrations: tuple[str, ...]) -> Owners | None:
        """What `of` gives, if that is known already; None if it is not. Waits for nobody, nor for those who read."""
        kept = self._kept.get(integrations)
        return kept[0] if kept is not None and self._is_good(kept[1]) else None

    def changed(self) -> None:
        """Something has changed, and is durable: look again."""
        with self._lock:
            self._kept.clear()

    def _is_good(self, read_at: int) -> bool:
        return read_at <= self._clock.now_us() < read_at + _LIFE_US

    def _read(self, conn: Connection, integrations: tuple[str, ...]) -> Owners:
        found: dict[str, dict[str, Var]] = {each.id: {} for each in connections.deployed(conn, integrations)}
        for var in variables.of_owners(conn, found.keys()):
            found[var.owner_id][var.name] = var
        return {owner: _Opened(owned, self._box) for owner, owned in found.items()}


class _Opened(Mapping[str, str]):
    """Variables, of which a secret one is opened when it is asked for."""

    def __init__(self, owned: Mapping[str, Var], box: Box) -> None:
        self._owned = owned
        self._box = box
        self._opened: dict[str, str] = {}

    def __getitem__(self, name: str) -> str:
        var = self._owned[name]
        if not var.is_secret:
            return var.value
        if name not in self._opened:
            self._opened[name] = self._open(var)
        return self._opened[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._owned)

    def __len__(self) -> int:
        return len(self._owned)

    def __repr__(self) -> str:
        return f"_Opened({', '.join(self._owned)})"  # reprs end up in logs

    def _open(self, var: Var) -> str:
        try:
            return self._box.open(var.value, owner_id=var.owner_id, name=var.name)
        except CannotOpen as error:
            _log.error("%s", error)
            return ""
