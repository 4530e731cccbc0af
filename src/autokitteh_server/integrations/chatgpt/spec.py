"""OpenAI ChatGPT."""

from autokitteh_server.integrations.chatgpt.check import check
from autokitteh_server.integrations.spec import AuthType, Field, Integration

SPEC = Integration(
    name="chatgpt",
    title="OpenAI ChatGPT",
    about="Language models of OpenAI.",
    docs_url="https://platform.openai.com/api-keys",
    auth=(
        AuthType(
            name="initialized",
            title="API Key",
            fields=(
                Field(
                    name="key",
                    title="Secret API Key",
                    variable="apiKey",
                    is_secret=True,
                    help="made at https://platform.openai.com/api-keys; it begins with sk-",
                ),
            ),
            aliases=("key", "apiKey"),
        ),
    ),
    check=check,
    helper="autokitteh.openai:openai_client",
    package="openai",
    api="https://api.openai.com/v1",
)
