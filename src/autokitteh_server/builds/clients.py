"""What the SDK's modules for services need beside it: `autokitteh.slack` needs slack-sdk, and so on.

They import their packages only when they are called, so what an environment has to hold is told here, function by
function. A module that is not written yet may be in the table; whether one that is there is in it, a test checks.
"""

from collections.abc import Mapping
from dataclasses import dataclass

SDK = "autokitteh"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientNeeds:
    """What one function needs."""

    packages: tuple[str, ...] = ()  # promised ones, by name
    modules: tuple[str, ...] = ()  # that it imports from them
    brought: tuple[str, ...] = ()  # modules that come along with the packages, and that it imports, too
    unpromised: tuple[str, ...] = ()  # modules that requirements.txt has to provide
    connection_at: int | None = 0  # which argument is the name of a connection; None: none


def _client(package: str, *modules: str) -> ClientNeeds:
    return ClientNeeds(packages=(package,), modules=modules)


_NOTHING = ClientNeeds()
_NO_CONNECTION = ClientNeeds(connection_at=None)

_GOOGLE = ("google-api-python-client", "google-auth-httplib2", "google-auth-oauthlib")
_GOOGLE_CREDENTIALS = ("google.oauth2.credentials", "google.oauth2.service_account")
_GOOGLE_API = ClientNeeds(packages=_GOOGLE, modules=(*_GOOGLE_CREDENTIALS, "googleapiclient.discovery"))
_HTTP = ClientNeeds(packages=("requests", "requests-toolbelt"), modules=("requests", "requests_toolbelt.sessions"))
_GITHUB = _client("PyGithub", "github")
_ATLASSIAN = ClientNeeds(packages=("atlassian-python-api", "requests"), modules=("atlassian", "requests"))
_HTTP_CLIENT = ClientNeeds(packages=("requests",), modules=("requests",))
_TEAMS = ClientNeeds(packages=("azure-identity", "msgraph-sdk"), modules=("azure.identity", "msgraph"))

#: By module of the SDK and function.
CLIENTS: Mapping[str, Mapping[str, ClientNeeds]] = {
    "airtable": {"airtable_client": _client("pyairtable", "pyairtable")},
    "anthropic": {
        "anthropic_client": _client("anthropic", "anthropic"),
        "anthropic_pydantic_ai_provider": ClientNeeds(
            packages=("anthropic",), modules=("anthropic",), unpromised=("pydantic_ai",)
        ),
    },
    "asana": {"asana_client": _client("asana", "asana")},
    "atlassian": {"confluence_client": _ATLASSIAN, "get_base_url": _NOTHING, "jira_client": _ATLASSIAN},
    "azurebot": {"azurebot_client": _HTTP_CLIENT},
    "auth0": {"auth0_client": _client("auth0-python", "auth0.management")},
    "aws": {"boto3_client": _client("boto3", "boto3")},
    "discord": {"bot_token": _NOTHING, "discord_client": _client("discord.py", "discord")},
    "github": {"github_client": _GITHUB},
    "githubcopilot": {"copilot_client": _GITHUB},
    "google": {
        "gemini_client": _client("google-generativeai", "google.generativeai"),
        "gmail_client": _GOOGLE_API,
        "google_calendar_client": _GOOGLE_API,
        "google_creds": ClientNeeds(packages=_GOOGLE, modules=_GOOGLE_CREDENTIALS, connection_at=1),
        "google_drive_client": _GOOGLE_API,
        "google_forms_client": _GOOGLE_API,
        "google_id": _NO_CONNECTION,
        "google_pydantic_ai_provider": ClientNeeds(unpromised=("google.genai", "pydantic_ai")),
        "google_sheets_client": _GOOGLE_API,
        "gspread_client": ClientNeeds(
            packages=("google-auth-oauthlib", "gspread"), modules=(*_GOOGLE_CREDENTIALS, "gspread")
        ),
        "youtube_client": _GOOGLE_API,
    },
    "height": {"height_client": _HTTP},
    "hubspot": {"hubspot_client": _client("hubspot-api-client", "hubspot")},
    "kubernetes": {"kubernetes_client": _client("kubernetes", "kubernetes.client", "kubernetes.config")},
    "linear": {"linear_client": _HTTP},
    "microsoft": {"teams_client": _TEAMS},
    "notion": {
        "notion_client": ClientNeeds(packages=("notion_client",), modules=("notion_client",), brought=("httpx",)),
    },
    "oauth2_session": {
        "OAuth2Session": ClientNeeds(packages=_HTTP.packages, modules=_HTTP.modules, connection_at=1),
        "open_session": ClientNeeds(packages=_HTTP.packages, modules=_HTTP.modules, connection_at=2),
    },
    "openai": {
        "openai_client": _client("openai", "openai"),
        "openai_pydantic_ai_provider": ClientNeeds(
            packages=("openai",), modules=("openai",), unpromised=("pydantic_ai",)
        ),
    },
    "pipedrive": {"pipedrive_client": _client("pipedrive-python-lib", "pipedrive.client")},
    "reddit": {"reddit_client": _client("praw", "praw")},
    "salesforce": {
        "salesforce_client": ClientNeeds(
            packages=("requests", "simple-salesforce"), modules=("requests", "simple_salesforce")
        ),
    },
    "slack": {"normalize_channel_name": _NO_CONNECTION, "slack_client": _client("slack-sdk", "slack_sdk")},
    "telegram": {"telegram_client": _client("python-telegram-bot", "telegram")},
    "twilio": {"twilio_client": _client("twilio", "twilio.rest")},
    "youtube": {"youtube_client": _GOOGLE_API},
    "zoom": {"zoom_client": _HTTP},
}


def find_client(dotted: str) -> ClientNeeds | None:
    """What a function needs that code knows as "autokitteh.slack.slack_client", say; None for any other."""
    module, _, function = dotted.removeprefix(f"{SDK}.").rpartition(".")
    return CLIENTS.get(module, {}).get(function) if dotted.startswith(f"{SDK}.") else None


def needs_of_import(module: str, names: tuple[str, ...]) -> list[ClientNeeds]:
    """What is needed by code that imports these names from a module of the SDK, or the module whole: no names, or "*".

    Of a module that is imported whole any function may be called; but those that need what is not promised are left
    out, since nothing says that they are.
    """
    name = module.removeprefix(f"{SDK}.")
    if module == SDK:
        return [needs for each in names for needs in _whole(each)]
    if not names or "*" in names:
        return _whole(name)
    functions = CLIENTS.get(name, {})
    return [functions[each] for each in names if each in functions]


def _whole(module: str) -> list[ClientNeeds]:
    return [needs for needs in CLIENTS.get(module, {}).values() if not needs.unpromised]
