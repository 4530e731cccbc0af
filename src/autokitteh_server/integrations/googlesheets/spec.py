"""Google Sheets."""

from autokitteh_server.integrations._families.google import API, DOCS_URL, PACKAGE, USER, google_auth
from autokitteh_server.integrations.googlesheets.check import check
from autokitteh_server.integrations.spec import Integration

SPEC = Integration(
    name="googlesheets",
    title="Google Sheets",
    about="Spreadsheets in Google Sheets.",
    docs_url=DOCS_URL,
    auth=google_auth("spreadsheets"),
    check=check,
    helper="autokitteh.google:google_sheets_client",
    package=PACKAGE,
    api=API,
    learns=USER,
    learns_secrets=("OAuthData",),
)
