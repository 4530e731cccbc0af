"""The keys with which secrets are sealed: how they stand, their change while sessions run, and their loss."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from autokitteh_server.core.clock import system_bytes
from autokitteh_server.core.crashpoints import crash_point
from autokitteh_server.core.entities import Var
from autokitteh_server.core.errors import FailedPrecondition, NotFound
from autokitteh_server.core.ids import is_id
from autokitteh_server.operations.services import Services
from autokitteh_server.secretbox.box import CannotOpen, key_id_of
from autokitteh_server.secretbox.keyring import Keyring
from autokitteh_server.secretbox.keys import KEY_BYTES, key_id, write_key_file
from autokitteh_server.storage import connections, projects, variables
from autokitteh_server.storage.connection import Connection
from autokitteh_server.storage.data_folder import take_folder
from autokitteh_server.storage.database import Database

#: Secrets that are sealed anew in one transaction: others want to write, too.
BATCH = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyUse:
    """A key, and what it is good for."""

    key_id: str
    secrets: int  # sealed with it
    is_here: bool  # the server has it
    is_sealing: bool  # the next secret is sealed with it


@dataclass(frozen=True, slots=True, kw_only=True)
class Unopenable:
    """A secret that cannot be opened."""

    owner: str  # a project, or PROJECT/CONNECTION
    name: str
    key_id: str  # "": it is damaged beyond telling


@dataclass(frozen=True, slots=True, kw_only=True)
class KeyStatus:
    """How the keys stand."""

    where: str  # they come from: a file's name, or what gives them
    is_file: bool  # the server may change it
    keys: Sequence[KeyUse]  # the first one seals
    unopenable: Sequence[Unopenable]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotation:
    """What a change of keys has come to."""

    key_id: str  # seals from now on
    is_new: bool  # it was made just now
    where: str
    resealed: int  # secrets that it has sealed anew
    removed: Sequence[str]  # keys that were taken out of the file
    unneeded: Sequence[str]  # keys that are there still, and seal nothing any more
    unopenable: Sequence[Unopenable]


def status(services: Services) -> KeyStatus:
    """Which keys there are, and what is sealed with them."""
    ring = services.keyring
    found = list(_secrets(services))
    counts = Counter(key_id_of(var.value) for var in found)
    ids = [*ring.key_ids, *sorted(counts.keys() - {*ring.key_ids, ""})]
    return KeyStatus(
        where=ring.where,
        is_file=ring.file is not None,
        keys=[
            KeyUse(key_id=each, secrets=counts[each], is_here=each in ring.key_ids, is_sealing=each == ring.box.key_id)
            for each in ids
        ],
        unopenable=_describe(services, [var for var in found if not _can_open(services, var)]),
    )


def rotate(services: Services, *, keep_old_keys: bool) -> Rotation:
    """Seal every secret with one key: a new one in front of the others in the key file, or the first that is given.

    Sessions and changes of vars go on meanwhile. A crash at any point loses nothing, and the next call goes on: as long
    as something is sealed with an old key it makes no other. Then the old keys are taken out of the file, if they are
    not to be kept. Raises FailedPrecondition if the key file cannot be changed, or somebody else is at it.
    """
    ring = services.keyring
    with ring.changing():
        is_new = ring.file is not None and not _is_begun(services)
        if is_new:
            ring.add_key()
        # Whatever this server has sealed with an old key is committed after this, for there is one writer.
        services.database.write(lambda _: None)
        resealed, unopenable = _reseal_all(services)
        in_use = services.database.write(lambda conn: {key_id_of(var.value) for var in variables.secrets(conn)})
        unneeded = [each for each in ring.key_ids[1:] if each not in in_use]
        removed: Sequence[str] = ()
        if ring.file is not None and unneeded and not keep_old_keys:
            crash_point("rotate.before_retire")
            ring.retire(unneeded)
            removed, unneeded = unneeded, []
            crash_point("rotate.after_retire")
        return Rotation(
            key_id=ring.box.key_id,
            is_new=is_new,
            where=ring.where,
            resealed=resealed,
            removed=removed,
            unneeded=unneeded,
            unopenable=_describe(services, unopenable),
        )


def keep_new_key(database: Database, keyring: Keyring) -> None:
    """At a server's start: write the key file, if there was none, unless there are secrets that it would not open.

    Raises FailedPrecondition then, for what is missing is the file and not a key.
    """
    if keyring.is_saved:
        return
    count = database.read(variables.count_secrets)
    if not count:
        keyring.save()
        return
    secrets = "1 secret" if count == 1 else f"{count} secrets"
    raise FailedPrecondition(
        f"{keyring.where}: the key file is missing, and there {'is' if count == 1 else 'are'} {secrets} in the "
        "database that cannot be opened without it",
        "Put back the copy that you have of it, or give the key as AK_SECRET_KEY. If it is lost for good, `ak secrets "
        "new-key` makes another: then the server starts, and the secrets have to be set again.",
    )


def make_key_file(data_dir: Path, file: Path) -> str:
    """Write a key file where there is none, while no server uses the data folder; the new key's id.

    Raises FailedPrecondition.
    """
    lock = take_folder(data_dir)
    try:
        if file.exists():
            raise FailedPrecondition(f"{file}: there is a key file", "`ak secrets rotate` makes another key.")
        key = system_bytes(KEY_BYTES)
        write_key_file(file, [key])
        return key_id(key)
    finally:
        os.close(lock)


def _is_begun(services: Services) -> bool:
    """Whether something is sealed with a key that is here, and is not the one that seals."""
    older = set(services.keyring.key_ids[1:])
    return any(key_id_of(var.value) in older and _can_open(services, var) for var in _secrets(services))


def _reseal_all(services: Services) -> tuple[int, list[Var]]:
    """Seal with the first key what is sealed with others; how many, and those that cannot be opened."""
    count, unopenable = 0, []
    for batch in _batches(services):
        old = [var for var in batch if key_id_of(var.value) != services.box.key_id]
        unopenable += [var for var in old if not _can_open(services, var)]
        new = [(var, _sealed_anew(services, var)) for var in old if var not in unopenable]
        if not new:
            continue

        def write(conn: Connection, new: Sequence[tuple[Var, str]] = tuple(new)) -> int:
            # One that was set meanwhile was sealed with the new key, and stays as it is.
            changed = sum(variables.reseal(conn, var, value) for var, value in new)
            crash_point("rotate.before_commit")
            return changed

        count += services.database.write(write)
        crash_point("rotate.after_commit")
    return count, unopenable


def _sealed_anew(services: Services, var: Var) -> str:
    place = {"owner_id": var.owner_id, "name": var.name}
    return services.box.seal(services.box.open(var.value, **place), **place)


def _can_open(services: Services, var: Var) -> bool:
    try:
        services.box.open(var.value, owner_id=var.owner_id, name=var.name)
    except CannotOpen:
        return False
    return True


def _secrets(services: Services) -> Iterator[Var]:
    """Every secret var."""
    return (var for batch in _batches(services) for var in batch)


def _batches(services: Services) -> Iterator[Sequence[Var]]:
    """Every secret var, so many in a transaction."""
    place = ("", "")
    while batch := _batch_after(services, place):
        yield batch
        place = (batch[-1].owner_id, batch[-1].name)


def _batch_after(services: Services, place: tuple[str, str]) -> Sequence[Var]:
    return services.database.read(lambda conn: variables.secrets_after(conn, place, BATCH))


def _describe(services: Services, found: Sequence[Var]) -> list[Unopenable]:
    def describe(conn: Connection) -> list[Unopenable]:
        return [
            Unopenable(owner=_owner_name(conn, var.owner_id), name=var.name, key_id=key_id_of(var.value))
            for var in found
        ]

    return services.database.read(describe)


def _owner_name(conn: Connection, owner_id: str) -> str:
    """What an owner is called; its id if it has gone meanwhile."""
    try:
        if not is_id(owner_id, "con"):
            return projects.get(conn, owner_id).name
        connection = connections.get(conn, owner_id)
        return f"{projects.get(conn, connection.project_id).name}/{connection.name}"
    except NotFound:
        return owner_id
