"""Google Forms."""

from autokitteh_server.integrations._families.google import API, DOCS_URL, PACKAGE, USER, google_auth
from autokitteh_server.integrations.googleforms.check import check
from autokitteh_server.integrations.spec import EventType, Field, Integration

_FIELD = Field(
    name="form_id",
    title="Form ID",
    variable="FormID",
    is_optional=True,
    pattern=r"[\w-]{20,}",
    help="the form whose events are wanted, from its address; without one there are none",
)

SPEC = Integration(
    name="googleforms",
    title="Google Forms",
    about="Forms and the responses to them.",
    docs_url=DOCS_URL,
    auth=google_auth("forms.body", "forms.responses.readonly", fields=(_FIELD,)),
    check=check,
    helper="autokitteh.google:google_forms_client",
    package=PACKAGE,
    api=API,
    learns=(
        *USER,
        "FormSchemaWatchID",
        "FormResponsesWatchID",
        "FormWatchesExpiration",
        "FormResponsesSeen",
        "FormRevisionID",
    ),
    learns_secrets=("OAuthData",),
    events=(
        EventType(name="responses", title="Somebody has filled in the form"),
        EventType(name="schema", title="The form was changed"),
    ),
)
