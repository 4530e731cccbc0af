"""GitHub Copilot."""

from autokitteh_server.integrations._families.github import API, AUTH, DOCS_URL, EVENTS, LEARNS, PACKAGE
from autokitteh_server.integrations.githubcopilot.check import check
from autokitteh_server.integrations.spec import Integration

SPEC = Integration(
    name="githubcopilot",
    title="GitHub Copilot",
    about="Seats of GitHub Copilot in an organization.",
    docs_url=DOCS_URL,
    auth=AUTH,
    check=check,
    helper="autokitteh.githubcopilot:copilot_client",
    package=PACKAGE,
    api=API,
    learns=LEARNS,
    events=EVENTS,
)
