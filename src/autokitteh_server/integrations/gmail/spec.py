"""Gmail."""

from autokitteh_server.integrations._families.google import API, DOCS_URL, PACKAGE, USER, google_auth
from autokitteh_server.integrations.gmail.check import check
from autokitteh_server.integrations.spec import EventType, Integration

SPEC = Integration(
    name="gmail",
    title="Gmail",
    about="E-mail in Gmail.",
    docs_url=DOCS_URL,
    auth=google_auth("gmail.modify", "gmail.settings.basic"),
    check=check,
    helper="autokitteh.google:gmail_client",
    package=PACKAGE,
    api=API,
    learns=(*USER, "GmailHistoryID", "GmailWatchExpiration"),
    learns_secrets=("OAuthData",),
    events=(EventType(name="mailbox_change", title="The mailbox has changed"),),
)
