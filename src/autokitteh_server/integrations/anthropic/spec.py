"""Anthropic Claude."""

from autokitteh_server.integrations.anthropic.check import check
from autokitteh_server.integrations.spec import AuthType, Field, Integration

SPEC = Integration(
    name="anthropic",
    title="Anthropic Claude",
    about="Language models of Anthropic.",
    docs_url="https://console.anthropic.com/settings/keys",
    auth=(
        AuthType(
            name="apiKey",
            title="API Key",
            fields=(
                Field(
                    name="api_key",
                    title="API Key",
                    is_secret=True,
                    help="made at https://console.anthropic.com/settings/keys; it begins with sk-ant-",
                ),
            ),
        ),
    ),
    check=check,
    helper="autokitteh.anthropic:anthropic_client",
    package="anthropic",
    api="https://api.anthropic.com",
)
