"""GitHub."""

from autokitteh_server.integrations._families.github import API, AUTH, DOCS_URL, EVENTS, LEARNS, PACKAGE
from autokitteh_server.integrations.github.check import check
from autokitteh_server.integrations.spec import Integration

SPEC = Integration(
    name="github",
    title="GitHub",
    about="Repositories, issues and pull requests on GitHub.",
    docs_url=DOCS_URL,
    auth=AUTH,
    check=check,
    helper="autokitteh.github:github_client",
    package=PACKAGE,
    api=API,
    learns=LEARNS,
    events=EVENTS,
)
