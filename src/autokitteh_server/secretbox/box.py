"""Seals texts, so that they can be kept where others may read: AES-GCM, bound to their owner and name.

A sealed text is `ak1.KEY_ID.DATA`, DATA being nonce and ciphertext in base64url. The header is authenticated, too.
"""

import base64
from collections.abc import Callable, Sequence
from typing import ClassVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from autokitteh_server.core.clock import system_bytes
from autokitteh_server.core.errors import FailedPrecondition, InternalError
from autokitteh_server.core.masking import Masker, masker
from autokitteh_server.secretbox.keys import KEY_BYTES, key_id

__all__ = ["KEY_BYTES", "Box", "CannotOpen", "key_id", "key_id_of"]

_FORMAT = "ak1"
# Random nonces of this size are safe for some four billion texts a key.
_NONCE_BYTES = 12


class CannotOpen(FailedPrecondition):
    """A sealed text cannot be opened: its key is not here, or it is not what was sealed."""

    code: ClassVar[str] = "cannot_open_secret"


class Box:
    """Seals with its first key, and opens with each. Threads may share it."""

    def __init__(
        self,
        keys: Sequence[bytes],
        *,
        random_bytes: Callable[[int], bytes] = system_bytes,
        secrets: Masker = masker,
    ) -> None:
        """Keys of KEY_BYTES bytes, at least one. `secrets` is told of all that is sealed or opened, to mask it."""
        self._random_bytes = random_bytes
        self._secrets = secrets
        self._ciphers: dict[str, AESGCM] = {}
        self.use(keys)

    def use(self, keys: Sequence[bytes]) -> None:
        """From now on seal with the first of these. The keys from before still open: somebody may be about to."""
        if not keys or any(len(key) != KEY_BYTES for key in keys):
            raise InternalError(f"a box takes one or more keys of {KEY_BYTES} bytes")
        self._ciphers = {key_id(key): AESGCM(key) for key in keys} | self._ciphers
        self._sealing = key_id(keys[0])

    def __repr__(self) -> str:
        return f"Box({', '.join(self._ciphers)})"

    @property
    def key_id(self) -> str:
        """The key that seals."""
        return self._sealing

    def seal(self, text: str, *, owner_id: str, name: str) -> str:
        """A text that only this box opens, and only as the same owner's of the same name."""
        self._secrets.add(text)
        sealing = self._sealing  # read once: another thread may change it
        header = f"{_FORMAT}.{sealing}"
        nonce = self._random_bytes(_NONCE_BYTES)
        data = self._ciphers[sealing].encrypt(
            nonce, text.encode("utf-8", "surrogatepass"), _context(header, owner_id, name)
        )
        return f"{header}.{base64.urlsafe_b64encode(nonce + data).decode()}"

    def open(self, sealed: str, *, owner_id: str, name: str) -> str:
        """What was sealed. Raises CannotOpen."""
        version, _, rest = sealed.partition(".")
        used, _, encoded = rest.partition(".")
        cipher = self._ciphers.get(used)
        if version != _FORMAT or not encoded:
            raise _damaged(owner_id, name)
        if cipher is None:
            raise CannotOpen(
                f"the value of {name} ({owner_id}) was encrypted with key {used}, which this server does not have",
                f"It has {', '.join(self._ciphers)}. Give it the key file or AK_SECRET_KEY of that time, or set the "
                "value again.",
            )
        try:
            data = base64.b64decode(encoded.encode("ascii", "replace"), b"-_", validate=True)
            if base64.urlsafe_b64encode(data).decode() != encoded:  # bits of the last letter that mean nothing
                raise ValueError(encoded)
            context = _context(f"{version}.{used}", owner_id, name)
            opened = cipher.decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], context)
        except (ValueError, InvalidTag) as error:
            raise _damaged(owner_id, name) from error
        text = opened.decode("utf-8", "surrogatepass")
        self._secrets.add(text)
        return text


def key_id_of(sealed: str) -> str:
    """The key that a text was sealed with."""
    return sealed.split(".")[1] if sealed.startswith(f"{_FORMAT}.") else ""


def _context(header: str, owner_id: str, name: str) -> bytes:
    return "\0".join((header, owner_id, name)).encode("utf-8", "surrogatepass")  # none of them has a NUL


def _damaged(owner_id: str, name: str) -> CannotOpen:
    return CannotOpen(
        f"the encrypted value of {name} ({owner_id}) is damaged, or belongs to something else", "Set it again."
    )
