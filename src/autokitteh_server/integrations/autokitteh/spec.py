"""AutoKitteh itself."""

from autokitteh_server.integrations.autokitteh.check import check
from autokitteh_server.integrations.autokitteh.ends import COMPLETED, ERROR, NAME
from autokitteh_server.integrations.spec import AuthType, EventType, Field, Integration

SPEC = Integration(
    name=NAME,
    title="AutoKitteh",
    about="This server, or another one: its API, and events about its sessions.",
    docs_url="https://docs.autokitteh.com",
    auth=(
        AuthType(
            name="initialized",
            title="Token",
            fields=(
                Field(
                    name="base_url",
                    title="Server's URL",
                    is_optional=True,
                    pattern=r"https?://\S+",
                    help="where code finds the server's API, such as http://localhost:9980",
                ),
                Field(
                    name="token",
                    title="Token",
                    is_secret=True,
                    is_optional=True,
                    help="made by `ak token create`",
                ),
            ),
        ),
    ),
    check=check,
    events=(
        EventType(name=COMPLETED, title="A session of the project has come to its end"),
        EventType(name=ERROR, title="A session of the project has failed"),
    ),
    makes_events_here=True,
)
