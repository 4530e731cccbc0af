"""Atlassian Confluence."""

from autokitteh_server.integrations._families.atlassian import API, DOCS_URL, PACKAGE, SITE, atlassian_auth
from autokitteh_server.integrations.confluence.check import check
from autokitteh_server.integrations.spec import EventType, Integration

_SCOPES = (
    *("write:confluence-content", "read:confluence-space.summary", "write:confluence-space"),
    *("write:confluence-file", "read:confluence-props", "write:confluence-props"),
    *("manage:confluence-configuration", "read:confluence-content.all", "search:confluence"),
    *("read:confluence-content.permission", "read:confluence-user", "read:confluence-groups"),
    *("write:confluence-groups", "readonly:content.attachment:confluence"),
)

#: What happens, and to what; an event is called by both: page_created.
CATEGORIES = (
    ("added", "label"),
    ("archived", "attachment page"),
    ("copied", "page"),
    ("created", "attachment blog blueprint_page comment content group label page relation space"),
    ("deleted", "label relation"),
    ("moved", "page"),
    ("removed", "attachment blog comment content group label page space user"),
    ("trashed", "attachment blog content page"),
    ("updated", "attachment blog comment content page space space_logo"),
)
_EVENTS = tuple(
    (f"{entity}_{category}", f"{entity.replace('_', ' ').capitalize()} {category}")
    for category, entities in CATEGORIES
    for entity in entities.split()
)

SPEC = Integration(
    name="confluence",
    title="Atlassian Confluence",
    about="Pages and spaces in Confluence.",
    docs_url=DOCS_URL,
    auth=atlassian_auth("CONFLUENCE", _SCOPES),
    check=check,
    helper="autokitteh.atlassian:confluence_client",
    package=PACKAGE,
    api=API,
    learns=(
        *SITE,
        *(f"WebhookID_{category}" for category, _ in CATEGORIES),
        *(f"WebhookSecret_{category}" for category, _ in CATEGORIES),
    ),
    learns_secrets=tuple(f"WebhookSecret_{category}" for category, _ in CATEGORIES),
    events=tuple(EventType(name=name, title=title) for name, title in _EVENTS),
)
