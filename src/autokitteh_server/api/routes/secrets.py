"""The keys with which secrets are encrypted."""

from collections.abc import Sequence

from autokitteh_server.api.context import Context
from autokitteh_server.api.route import Route
from autokitteh_server.core.api_types.secrets import Key, KeyStatus, LockedSecret, Rotate, Rotated
from autokitteh_server.core.api_types.tokens import Scope
from autokitteh_server.operations import secrets
from autokitteh_server.operations.secrets import Unopenable


def status(ctx: Context) -> KeyStatus:
    """Which keys there are, by id, how many secrets each has encrypted, and which secrets cannot be decrypted."""
    found = secrets.status(ctx.services)
    return KeyStatus(
        where=found.where,
        is_file=found.is_file,
        keys=[
            Key(key_id=each.key_id, secrets=each.secrets, is_here=each.is_here, is_sealing=each.is_sealing)
            for each in found.keys
        ],
        locked=_locked(found.unopenable),
    )


def rotate(ctx: Context, *, body: Rotate) -> Rotated:
    """Encrypt every secret with a new key, or where keys are given with the first one. Sessions go on meanwhile."""
    done = secrets.rotate(ctx.services, keep_old_keys=body.keep_old_keys)
    return Rotated(
        key_id=done.key_id,
        is_new=done.is_new,
        where=done.where,
        resealed=done.resealed,
        removed=list(done.removed),
        unneeded=list(done.unneeded),
        locked=_locked(done.unopenable),
    )


def _locked(found: Sequence[Unopenable]) -> list[LockedSecret]:
    return [LockedSecret(owner=each.owner, name=each.name, key_id=each.key_id) for each in found]


ROUTES = (
    Route("GET", "/secrets", Scope.READ, status, "See how the keys for secrets stand"),
    Route("POST", "/secrets/rotate", Scope.ADMIN, rotate, "Change the key for secrets"),
)
