"""Google Gemini."""

from autokitteh_server.integrations.googlegemini.check import check
from autokitteh_server.integrations.spec import AuthType, Field, Integration

SPEC = Integration(
    name="googlegemini",
    title="Google Gemini",
    about="Language models of Google.",
    docs_url="https://ai.google.dev/gemini-api/docs/api-key",
    auth=(
        AuthType(
            name="apiKey",
            title="API Key",
            fields=(
                Field(
                    name="key",
                    title="API Key",
                    variable="api_key",
                    is_secret=True,
                    help="made at https://aistudio.google.com/apikey",
                ),
            ),
        ),
    ),
    check=check,
    helper="autokitteh.google:gemini_client",
    package="google-generativeai",
    api="https://generativelanguage.googleapis.com",
)
