"""A project's stored values as the HTTP API shows them."""

from typing import Annotated

from msgspec import Meta, Struct

from autokitteh_server.core.api_types.values import Value

Key = Annotated[str, Meta(min_length=1, max_length=1024, description="The key of a value")]


class StoredKey(Struct, frozen=True, kw_only=True):
    """A key under which there is a value."""

    key: str


class StoredValue(Struct, frozen=True, kw_only=True):
    """A stored value."""

    key: str
    value: Value


class OneKey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which value is meant."""

    key: Key


class SetValue(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a value is to be."""

    value: Value
