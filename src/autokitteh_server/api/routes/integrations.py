"""What connections can be made to."""

from autokitteh_server.api.context import Context
from autokitteh_server.api.paging import cut_page
from autokitteh_server.api.route import Route
from autokitteh_server.core.api_types import connections as shown
from autokitteh_server.core.api_types.connections import EventSample, Integration, IntegrationDetails
from autokitteh_server.core.api_types.tokens import Scope
from autokitteh_server.core.api_types.values import Page, PageQuery, raw
from autokitteh_server.integrations import spec
from autokitteh_server.integrations.forms import fields_of
from autokitteh_server.operations import connecting


def list_(ctx: Context, *, query: PageQuery) -> Page[Integration]:
    """What connections can be made to, by name."""
    return cut_page(query, connecting.integrations(), place=lambda each: each.name, show=_in_short)


def get(ctx: Context, *, integration: str) -> IntegrationDetails:
    """A service by its name: what its connections ask for, and what it sends."""
    found = connecting.form_of(integration)
    return IntegrationDetails(
        name=found.name,
        title=found.title,
        about=found.about,
        docs_url=found.docs_url,
        helper=found.helper,
        package=found.package,
        auth_types=[_auth_type(found, each) for each in found.auth],
        event_types=[shown.EventType(name=each.name, title=each.title) for each in found.events],
        sample_types=list(connecting.sample_types_of(integration)),
    )


def sample(ctx: Context, *, integration: str, event_type: str) -> EventSample:
    """What a handler gets of a typical event: to try it without the service, and to see what is in it."""
    return EventSample(event_type=event_type, data=raw(connecting.sample_of(integration, event_type)))


def _in_short(found: spec.Integration) -> Integration:
    auth_types = [each.name for each in found.auth]
    return Integration(name=found.name, title=found.title, about=found.about, auth_types=auth_types)


def _auth_type(found: spec.Integration, auth: spec.AuthType) -> shown.AuthType:
    return shown.AuthType(
        name=auth.name,
        title=auth.title,
        fields=[_field(each) for each in fields_of(found, auth)],
        needs_consent=auth.oauth is not None and bool(auth.oauth.authorize_url),
        scopes=list(auth.oauth.scopes) if auth.oauth is not None else [],
    )


def _field(each: spec.Field) -> shown.FormField:
    return shown.FormField(
        name=each.name,
        title=each.title,
        variable=each.kept_in,
        is_secret=each.is_secret,
        is_optional=each.is_optional,
        is_multiline=each.is_multiline,
        help=each.help,
        pattern=each.pattern,
    )


ROUTES = (
    Route("GET", "/integrations", Scope.READ, list_, "List integrations"),
    Route("GET", "/integrations/{integration}", Scope.READ, get, "Get an integration"),
    Route("GET", "/integrations/{integration}/samples/{event_type}", Scope.READ, sample, "Get a sample of an event"),
)
