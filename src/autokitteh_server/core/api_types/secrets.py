"""The keys for secrets as the HTTP API shows them: by their ids, from which nothing of them can be had."""

from typing import Annotated

from msgspec import Meta, Struct


class Key(Struct, frozen=True, kw_only=True):
    """A key, and what it is good for."""

    key_id: str
    secrets: int  # sealed with it
    is_here: bool  # the server has it
    is_sealing: bool  # the next secret is sealed with it


class LockedSecret(Struct, frozen=True, kw_only=True):
    """A secret that the server cannot open."""

    owner: str  # a project, or PROJECT/CONNECTION
    name: str
    key_id: str  # of the key that is missing


class KeyStatus(Struct, frozen=True, kw_only=True):
    """How the keys stand."""

    where: str  # they come from: a file's name, or the setting
    is_file: bool  # the server can make another key itself
    keys: list[Key]
    locked: list[LockedSecret]


class Rotate(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A change of keys that is wanted."""

    keep_old_keys: Annotated[bool, Meta(description="Leave them in the key file, though they seal nothing")]


class Rotated(Struct, frozen=True, kw_only=True):
    """What a change of keys has come to."""

    key_id: str  # seals from now on
    is_new: bool  # it was made just now
    where: str
    resealed: int  # secrets that were sealed anew with it
    removed: list[str]  # keys that were taken out of the file
    unneeded: list[str]  # keys that are there still, and seal nothing
    locked: list[LockedSecret]
