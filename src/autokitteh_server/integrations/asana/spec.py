"""Asana."""

from autokitteh_server.integrations.asana.check import check
from autokitteh_server.integrations.spec import AuthType, EventType, Field, Integration

SPEC = Integration(
    name="asana",
    title="Asana",
    about="Tasks and projects in Asana.",
    docs_url="https://developers.asana.com/docs/personal-access-token",
    auth=(
        AuthType(
            name="pat",
            title="PAT",
            fields=(
                Field(
                    name="pat",
                    title="Personal Access Token",
                    is_secret=True,
                    help="made at https://app.asana.com/0/my-apps",
                ),
            ),
            hooks=("asana/webhook/{connection_id}",),
        ),
    ),
    check=check,
    helper="autokitteh.asana:asana_client",
    package="asana",
    api="https://app.asana.com/api/1.0",
    learns=("WebhookSecret",),
    learns_secrets=("WebhookSecret",),
    events=(
        EventType(name="task_added", title="A task was added to what the webhook is for"),
        EventType(name="task_changed", title="A task was changed"),
    ),
)
