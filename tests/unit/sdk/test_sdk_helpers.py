"""What all helpers have in common: what they raise, and what they say of themselves. Nothing is asked of a service."""

import ast
import importlib
import inspect
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import autokitteh
from autokitteh import testing
from autokitteh.errors import ConnectionInitError, OAuthRefreshError

#: Each helper, the pip line of its package, and variables without which it has no credentials.
HELPERS = [
    ("airtable.airtable_client", "pyairtable ~= 3.1"),
    ("anthropic.anthropic_client", "anthropic ~= 0.54.0"),
    ("anthropic.anthropic_pydantic_ai_provider", "pydantic-ai-slim[anthropic]"),
    ("asana.asana_client", "asana ~= 5.0"),
    ("atlassian.confluence_client", "atlassian-python-api ~= 3.41"),
    ("atlassian.jira_client", "atlassian-python-api ~= 3.41"),
    ("auth0.auth0_client", "auth0-python ~= 4.7"),
    ("aws.boto3_client", "boto3 ~= 1.35"),
    ("azurebot.azurebot_client", "requests ~= 2.32"),
    ("discord.discord_client", "discord.py ~= 2.5"),
    ("github.github_client", "PyGithub ~= 2.6"),
    ("githubcopilot.copilot_client", "PyGithub ~= 2.6"),
    ("google.gemini_client", "google-generativeai ~= 0.8"),
    ("google.gmail_client", "google-api-python-client ~= 2.155"),
    ("google.google_calendar_client", "google-api-python-client ~= 2.155"),
    ("google.google_drive_client", "google-api-python-client ~= 2.155"),
    ("google.google_forms_client", "google-api-python-client ~= 2.155"),
    ("google.google_pydantic_ai_provider", "pydantic-ai-slim[google]"),
    ("google.google_sheets_client", "google-api-python-client ~= 2.155"),
    ("google.gspread_client", "gspread ~= 6.2"),
    ("google.youtube_client", "google-api-python-client ~= 2.155"),
    ("height.height_client", "requests-toolbelt ~= 1.0"),
    ("hubspot.hubspot_client", "hubspot-api-client ~= 11.1"),
    ("kubernetes.kubernetes_client", "kubernetes ~= 31.0"),
    ("linear.linear_client", "requests-toolbelt ~= 1.0"),
    ("microsoft.teams_client", "msgraph-sdk ~= 1.18"),
    ("notion.notion_client", "notion_client ~= 2.0"),
    ("openai.openai_client", "openai ~= 1.57"),
    ("openai.openai_pydantic_ai_provider", "pydantic-ai-slim[openai]"),
    ("pipedrive.pipedrive_client", "pipedrive-python-lib ~= 1.2"),
    ("reddit.reddit_client", "praw ~= 7.8"),
    ("salesforce.salesforce_client", "simple-salesforce ~= 1.12"),
    ("slack.slack_client", "slack-sdk ~= 3.33"),
    ("telegram.telegram_client", "python-telegram-bot ~= 22.0"),
    ("twilio.twilio_client", "twilio ~= 9.4"),
    ("youtube.youtube_client", "google-api-python-client ~= 2.155"),
    ("zoom.zoom_client", "requests-toolbelt ~= 1.0"),
]
NAMES = [name for name, _ in HELPERS]
MODULES = sorted({name.partition(".")[0] for name in NAMES})
READERS = {"read_variable", "read_first", "require_variable"}
EXTRA = {"boto3_client": ["s3"]}

#: Their packages are not installed here, and they are looked for first.
OTHERS = [name for name in NAMES if "pydantic" not in name and "boto3" not in name]

BARE = """
import importlib, sys
sys.path.insert(0, {src!r})
for name in {names!r}:
    module, _, function = name.partition(".")
    helper = getattr(importlib.import_module("autokitteh." + module), function)
    try:
        helper("conn", *{extra!r}.get(function, []))
    except ImportError as error:
        print(name, "|", error)
"""


def variables_read(path: Path) -> Iterator[str]:
    """The names that a module hands to the functions that read variables, where they are written out."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in READERS:
            yield from (arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str))


def helper(name: str) -> Any:
    module, _, function = name.partition(".")
    return getattr(importlib.import_module(f"autokitteh.{module}"), function)


@pytest.mark.parametrize("name", NAMES)
def test_what_is_no_name_of_a_connection(name: str) -> None:
    """The name is looked at before anything else."""
    extra = EXTRA.get(name.partition(".")[2], [])
    with pytest.raises(ValueError, match="name of a connection"):
        helper(name)("", *extra)
    for bad in ("a b", "1a", "a-b", "a/b"):
        with pytest.raises(ValueError, match="is no name of a connection"):
            helper(name)(bad, *extra)


@pytest.mark.parametrize("name", OTHERS)
def test_without_credentials(name: str) -> None:
    """A connection that was never initialised is told apart by its error."""
    with pytest.raises(ConnectionInitError, match="AutoKitteh connection 'conn' not initialized"):
        helper(name)("conn")


@pytest.mark.parametrize(
    ("name", "variables"),
    [
        ("atlassian.jira_client", {"Token": "t"}),
        ("atlassian.jira_client", {"oauth_AccessToken": "t"}),
        ("auth0.auth0_client", {"oauth_AccessToken": "t"}),
        ("auth0.auth0_client", {"auth0_domain": "d"}),
        ("azurebot.azurebot_client", {"app_id": "a", "app_password": "p"}),
        ("github.github_client", {"app_id": "1"}),
        ("github.github_client", {"install_id": "1"}),
        ("google.gmail_client", {"auth_type": "oauth", "oauth_AccessToken": "t"}),
        ("google.gmail_client", {"auth_type": "oauth", "oauth_Expiry": "2099-01-01T00:00:00Z"}),
        ("google.gmail_client", {"JSON": "no json"}),
        ("google.gmail_client", {"JSON": "[]"}),
        ("google.gmail_client", {"JSON": "{}"}),
        ("hubspot.hubspot_client", {"oauth_AccessToken": "t"}),
        ("airtable.airtable_client", {"oauth_access_token": "t"}),
        ("kubernetes.kubernetes_client", {"config_file": "no json"}),
        ("kubernetes.kubernetes_client", {"config_file": "[]"}),
        ("kubernetes.kubernetes_client", {"config_file": "{}"}),
        ("microsoft.teams_client", {"auth_type": "oauthDefault"}),
        ("microsoft.teams_client", {"auth_type": "daemonApp", "private_client_id": "i"}),
        ("pipedrive.pipedrive_client", {"api_key": "k"}),
        ("pipedrive.pipedrive_client", {"company_domain": "https://acme.pipedrive.com"}),
        ("reddit.reddit_client", {"client_id": "i", "client_secret": "s"}),
        ("salesforce.salesforce_client", {"oauth_access_token": "t"}),
        ("twilio.twilio_client", {"Username": "u"}),
        ("zoom.zoom_client", {"oauth_refresh_token": "t"}),
    ],
)
def test_with_half_of_the_credentials(name: str, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """One that lacks something is not initialised either."""
    for variable, value in variables.items():
        monkeypatch.setenv(f"conn__{variable}", value)
    with pytest.raises(ConnectionInitError):
        helper(name)("conn")


def test_without_their_packages() -> None:
    """An interpreter that has nothing installed can import every module, and learns what to install from the error."""
    code = BARE.format(src=str(Path(autokitteh.__file__).parent.parent), names=NAMES, extra=EXTRA)
    done = subprocess.run([sys.executable, "-I", "-S", "-c", code], capture_output=True, text=True, check=True)
    expected = [
        f"{name} | {name.partition('.')[2]} needs a package that is not installed. Say: pip install '{requirement}'"
        for name, requirement in HELPERS
    ]
    assert done.stdout.splitlines() == expected


@pytest.mark.parametrize("name", MODULES)
def test_modules_say_what_they_read(name: str) -> None:
    """READS names variables of a connection, each once, and every one that the module's own lines name."""
    module = importlib.import_module(f"autokitteh.{name}")
    assert all(isinstance(variable, str) and variable for variable in module.READS)
    assert len(set(module.READS)) == len(module.READS)
    assert set(variables_read(Path(module.__file__ or ""))) <= set(module.READS)


@pytest.mark.parametrize("name", NAMES)
def test_helpers_say_what_they_raise(name: str) -> None:
    """Each has a docstring, with its errors or with where they are described."""
    doc = inspect.getdoc(helper(name)) or ""
    assert "Raises " in doc or "errors" in doc


def test_ids_in_urls_of_google() -> None:
    """What follows /d/ or /d/e/, or a bare id."""
    google_id = helper("google.google_id")
    bare = "1FAIpQLSd-abcdefghij_klmno"
    assert google_id(f"https://docs.google.com/document/d/{bare}/edit") == bare
    assert google_id(f"https://docs.google.com/forms/d/e/{bare}/viewform") == bare
    assert google_id(bare) == bare
    for bad in ("", "short", "https://docs.google.com/document/u/0/", "https://x/d/short/edit"):
        with pytest.raises(ValueError, match="there is no id"):
            google_id(bad)


@pytest.mark.parametrize(
    ("name", "normal"),
    [("", ""), ("Team  A/B!", "team-a-b"), ("'\"", ""), ("a__b", "a-b"), ("x" * 60, "x" * 50), ("It's", "its")],
)
def test_names_of_slack_channels(name: str, normal: str) -> None:
    """Names become what Slack allows."""
    assert helper("slack.normalize_channel_name")(name) == normal


def test_addresses_of_atlassian_sites(monkeypatch: pytest.MonkeyPatch) -> None:
    """The site's own, or what OAuth told; None if there is none."""
    get_base_url = helper("atlassian.get_base_url")
    assert get_base_url("conn") is None
    monkeypatch.setenv("conn__AccessURL", "https://b.atlassian.net")
    assert get_base_url("conn") == "https://b.atlassian.net"
    monkeypatch.setenv("conn__BaseURL", "https://a.atlassian.net")
    assert get_base_url("conn") == "https://a.atlassian.net"


def test_aws_needs_a_service_and_no_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a service it is a ValueError; keys may come from elsewhere, and are without blanks."""
    boto3_client = helper("aws.boto3_client")
    with pytest.raises(ValueError, match="needs the name of a service"):
        boto3_client("conn", "")
    monkeypatch.setenv("conn__Region", " eu-west-1 ")
    assert boto3_client("conn", "s3").meta.region_name == "eu-west-1"
    assert boto3_client("conn", "s3", "us-east-2").meta.region_name == "us-east-2"


def test_ids_of_github_apps_are_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Anything else is a ValueError that names the variable."""
    monkeypatch.setenv("conn__app_id", "x")
    monkeypatch.setenv("conn__install_id", "2")
    with pytest.raises(ValueError, match="conn__app_id is no number"):
        helper("github.github_client")("conn")


def test_copilot_needs_an_organization(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an argument or the account of the app."""
    monkeypatch.setenv("conn__pat", "t")
    with pytest.raises(ValueError, match="needs to know the organization"):
        helper("githubcopilot.copilot_client")("conn")
    assert helper("githubcopilot.copilot_client")("conn", "acme").org_name == "acme"


@pytest.mark.parametrize(
    ("name", "variables"),
    [
        ("airtable.airtable_client", {"oauth_refresh_token": "r"}),
        ("hubspot.hubspot_client", {"oauth_RefreshToken": "r"}),
        (
            "google.gmail_client",
            {"auth_type": "oauthDefault", "oauth_AccessToken": "t", "oauth_Expiry": "2020-01-01T00:00:00Z"},
        ),
    ],
)
def test_a_token_that_the_server_does_not_renew(
    name: str, variables: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that begins with a fresh token tells why there is none."""
    for variable, value in variables.items():
        monkeypatch.setenv(f"conn__{variable}", value)
    with testing.session(), pytest.raises(OAuthRefreshError, match="comes from the server, and this is no session"):
        helper(name)("conn")


def test_sessions_and_apps_are_classes() -> None:
    """They can be imported, subclassed and pickled like any class, though their bases are other packages'."""
    import pickle

    from autokitteh.github import AppAuth
    from autokitteh.oauth2_session import OAuth2Session

    for cls in (OAuth2Session, AppAuth):
        assert inspect.isclass(cls)
        assert pickle.loads(pickle.dumps(cls)) is cls
    with pytest.raises(ImportError):
        from autokitteh.github import Nothing  # type: ignore[attr-defined]  # noqa: F401
    with pytest.raises(ConnectionInitError):
        OAuth2Session("zoom", "conn")
