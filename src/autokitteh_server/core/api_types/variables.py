"""Vars as the HTTP API shows them."""

from typing import Annotated

from msgspec import Meta, Struct

from autokitteh_server.core.api_types.values import Moment, PageQuery

Owner = Annotated[str, Meta(description="A project, or a connection as PROJECT/CONNECTION; or the id of either")]
Reveal = Annotated[bool, Meta(description="Show the values of secret ones; takes the scope `secrets`")]


class Var(Struct, frozen=True, kw_only=True):
    """A variable of a project or a connection, which code sees in its environment."""

    owner_id: str  # of the project or the connection
    name: str
    value: str | None  # null: it is secret, and was not asked for
    is_secret: bool
    is_declared: bool  # by a manifest, which may change and remove it
    description: str
    updated_at: Moment


class VarQuery(PageQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose vars are wanted."""

    owner: Owner
    reveal: Reveal = False


class OneVar(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose var is wanted."""

    owner: Owner
    reveal: Reveal = False


class OwnedBy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whose var is meant."""

    owner: Owner


class SetVar(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a var is to be. What is null stays as it is."""

    value: str
    is_secret: bool | None = None
    description: str | None = None
