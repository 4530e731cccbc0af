"""Atlassian Jira."""

from autokitteh_server.integrations._families.atlassian import API, DOCS_URL, PACKAGE, SITE, atlassian_auth
from autokitteh_server.integrations.jira.check import check
from autokitteh_server.integrations.spec import EventType, Integration

_SCOPES = ("read:jira-work", "read:jira-user", "write:jira-work", "manage:jira-webhook")

_EVENTS = (
    ("issue_created", "An issue was made"),
    ("issue_updated", "An issue was changed"),
    ("issue_deleted", "An issue was deleted"),
    ("comment_created", "A comment was made"),
    ("comment_updated", "A comment was changed"),
    ("comment_deleted", "A comment was deleted"),
)

SPEC = Integration(
    name="jira",
    title="Atlassian Jira",
    about="Issues in Jira.",
    docs_url=DOCS_URL,
    auth=atlassian_auth("JIRA", _SCOPES),
    check=check,
    helper="autokitteh.atlassian:jira_client",
    package=PACKAGE,
    api=API,
    learns=(*SITE, "WebhookID", "WebhookKey", "WebhookURL", "WebhookExpiration", "WebhookSecret"),
    learns_secrets=("WebhookSecret",),
    events=tuple(EventType(name=name, title=title) for name, title in _EVENTS),
)
