"""Connections and integrations as the HTTP API shows them."""

from typing import Annotated, Self

from msgspec import Meta, Struct, field

from autokitteh_server.core import entities
from autokitteh_server.core.api_types.sessions import Which
from autokitteh_server.core.api_types.values import Moment, PageQuery, Value
from autokitteh_server.core.timestamps import format_time


class ConnectionStatus(Struct, frozen=True, kw_only=True):
    """How a connection stands."""

    code: Annotated[str, Meta(description="init_required, ok, warning or error")]
    message: str  # "connected as acme-bot"
    remedy: str  # how to mend it; may be empty
    checked_at: Moment | None  # null: it was not tried as it is now


class ConnectionEvents(Struct, frozen=True, kw_only=True):
    """How events of a connection come in."""

    state: Annotated[str, Meta(description="off, starting, pushed, polled, open, waiting or failed")]
    message: str  # why, and what to do about it
    since: Moment | None
    addresses: list[str]  # to be entered at the service by hand; empty: none, or the server tells the service itself


class Connection(Struct, frozen=True, kw_only=True):
    """Named credentials for one integration, in a project."""

    id: str
    project_id: str
    name: str
    integration: str
    is_declared: bool  # by a manifest, which may remove it
    auth_type: str  # by which way it authenticates; empty: it has no credentials yet
    status: ConnectionStatus
    events: ConnectionEvents | None  # null: its service sends none
    created_at: Moment
    updated_at: Moment

    @classmethod
    def of(
        cls,
        connection: entities.Connection,
        auth_type: str,
        status: ConnectionStatus,
        events: ConnectionEvents | None,
    ) -> Self:
        return cls(
            id=connection.id,
            project_id=connection.project_id,
            name=connection.name,
            integration=connection.integration,
            is_declared=connection.is_declared,
            auth_type=auth_type,
            status=status,
            events=events,
            created_at=format_time(connection.created_at),
            updated_at=format_time(connection.updated_at),
        )


class CreateConnection(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A connection that is wanted."""

    project: Which
    name: str
    integration: str


Values = Annotated[dict[str, str], Meta(description="By field; what is left out stays as it is")]


class InitConnection(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a connection's form was filled in with."""

    auth_type: Annotated[str, Meta(description="May be empty if the values are for one only")] = ""
    values: Values = field(default_factory=dict)


class Initialized(Struct, frozen=True, kw_only=True):
    """What came of giving a connection its credentials."""

    connection: Connection
    authorize_url: str  # where somebody has to agree, in a browser; empty: nobody has to


class BeginOAuth(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A person wants to let a connection use their account."""

    auth_type: str = ""  # the way to; "": the connection's own, or the only one of its integration


class OAuthLink(Struct, frozen=True, kw_only=True):
    """Where that begins: a link for one browser, once."""

    url: str
    expires_at: Moment


class OfProject(PageQuery, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Of which project things are wanted; of all, if none is given."""

    project: Which = ""


class InProject(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The project in which something has its name. An id needs none."""

    project: Which = ""


class Integration(Struct, frozen=True, kw_only=True):
    """A service that connections can be made to."""

    name: str
    title: str
    about: str
    auth_types: list[str]


class FormField(Struct, frozen=True, kw_only=True):
    """Something that whoever makes a connection fills in."""

    name: str
    title: str
    variable: str  # of the connection, in which it is kept
    is_secret: bool
    is_optional: bool
    is_multiline: bool
    help: str
    pattern: str  # a regular expression for all of it; empty: any text


class AuthType(Struct, frozen=True, kw_only=True):
    """One way to authenticate."""

    name: str
    title: str
    fields: list[FormField]
    needs_consent: bool  # somebody has to agree, in a browser
    scopes: list[str]  # that OAuth asks for


class EventType(Struct, frozen=True, kw_only=True):
    """A kind of event that a service sends."""

    name: str
    title: str


class EventSample(Struct, frozen=True, kw_only=True):
    """What a handler gets of a typical event."""

    event_type: str
    data: Value


class IntegrationDetails(Struct, frozen=True, kw_only=True):
    """A service, what its connections ask for, and what it sends."""

    name: str
    title: str
    about: str
    docs_url: str  # the vendor's page about credentials
    helper: str  # "autokitteh.slack:slack_client"; empty: there is none
    package: str
    auth_types: list[AuthType]
    event_types: list[EventType]
    sample_types: list[str]  # event types of which there is a sample
