"""The keys that a server has: where they come from, the box that works with them, and their change while it runs.

A new key is in the file, durably, before anything is sealed with it. An old one is taken out of the file only.
"""

import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from autokitteh_server.core.clock import system_bytes
from autokitteh_server.core.crashpoints import crash_point
from autokitteh_server.core.errors import FailedPrecondition
from autokitteh_server.secretbox.box import Box
from autokitteh_server.secretbox.keys import KEY_BYTES, key_id, parse_keys, read_key_file, write_key_file


class Keyring:
    """Threads may share it. One at a time changes the keys: within `changing`."""

    def __init__(
        self,
        keys: Sequence[bytes],
        *,
        where: str,
        file: Path | None = None,
        is_saved: bool = True,
        random_bytes: Callable[[int], bytes] = system_bytes,
    ) -> None:
        """`file`: where they stand, if it is a file, of which the server may make another; `where` tells people."""
        self.box = Box(keys)
        self.where = where
        self.file = file
        self.is_saved = is_saved  # False: the key was made just now, and nobody knows it yet
        self._keys = tuple(keys)
        self._random_bytes = random_bytes
        self._changing = threading.Lock()

    @property
    def key_ids(self) -> list[str]:
        """The keys; the first one seals, the others only open."""
        return [key_id(key) for key in self._keys]

    def save(self) -> None:
        """Write the file that was not there. Raises FailedPrecondition."""
        assert self.file is not None
        write_key_file(self.file, self._keys)
        self.is_saved = True

    @contextmanager
    def changing(self) -> Iterator[None]:
        """Keep others from changing the keys. Raises FailedPrecondition if somebody does already."""
        if not self._changing.acquire(blocking=False):
            raise FailedPrecondition("the keys are being changed already", "Wait until that is over.")
        try:
            yield
        finally:
            self._changing.release()

    def add_key(self) -> None:
        """Make a key, put it in front of those in the file, and seal with it from now on.

        Raises FailedPrecondition, and changes nothing, if the file cannot be written or has other keys than it had.
        """
        assert self.file is not None
        there = self._read(self.file)
        new = self._random_bytes(KEY_BYTES)
        crash_point("rotate.before_key")
        write_key_file(self.file, [new, *there])
        crash_point("rotate.after_key")
        self._use([new, *there])

    def retire(self, key_ids: Collection[str]) -> None:
        """Take keys out of the file. The box still opens with them until the server ends: a session may be about to.

        Raises FailedPrecondition as `add_key` does.
        """
        assert self.file is not None
        left = [key for key in self._read(self.file) if key_id(key) not in key_ids]
        write_key_file(self.file, left)
        self._keys = tuple(left)

    def _use(self, keys: Sequence[bytes]) -> None:
        self.box.use(keys)
        self._keys = tuple(keys)

    def _read(self, file: Path) -> list[bytes]:
        """What is in the file now: somebody may have put a key into it by hand."""
        there = read_key_file(file, self.where)
        if key_id(there[0]) != self.box.key_id:
            raise FailedPrecondition(
                f"{self.where}: the first key in it is not {self.box.key_id}, with which this server encrypts",
                "Restart the server, so that it uses the file as it is now.",
            )
        return there


def open_keyring(
    path: Path,
    given: str = "",
    *,
    given_where: str = "AK_SECRET_KEY",
    given_file: Path | None = None,
    random_bytes: Callable[[int], bytes] = system_bytes,
) -> Keyring:
    """The keys `given` as text, else those in `given_file`, else those in the file at `path`, else a new one.

    A new one is not saved: whoever asks is to look first whether another one is missed. Raises InvalidArgument for what
    is no key, and FailedPrecondition for a file that cannot be read.
    """
    if given:
        return Keyring(parse_keys(given, given_where), where=given_where)
    if given_file is not None:
        where = f"AK_SECRET_KEY_FILE={given_file}"
        return Keyring(
            read_key_file(given_file, where), where=str(given_file), file=given_file, random_bytes=random_bytes
        )
    if path.exists():
        return Keyring(read_key_file(path), where=str(path), file=path, random_bytes=random_bytes)
    keys = [random_bytes(KEY_BYTES)]
    return Keyring(keys, where=str(path), file=path, is_saved=False, random_bytes=random_bytes)
