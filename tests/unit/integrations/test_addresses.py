"""The addresses that people have to enter at services."""

import pytest

from autokitteh_server.integrations.addresses import addresses_of

HERE = "https://ak.example.com"


@pytest.mark.parametrize(
    ("integration", "variables", "expected"),
    [
        ("github", {"auth_type": "pat", "pat": "x", "pat_key": "k3y"}, ("github/webhook/k3y",)),
        ("github", {"auth_type": "pat", "pat": "x"}, ()),  # of older connections
        ("githubcopilot", {"pat": "x", "pat_key": "k3y"}, ("github/webhook/k3y",)),
        ("github", {"auth_type": "oauthPrivate"}, ("github/webhook",)),
        ("github", {"auth_type": "oauth", "install_id": "34"}, ()),
        ("asana", {"pat": "x"}, ("asana/webhook/con_1",)),
        ("notion", {"api_key": "x"}, ("notion/webhook/con_1",)),
        ("notion", {"auth_type": "oauthDefault"}, ()),
        ("slack", {"auth_type": "oauthPrivate"}, ("slack/event", "slack/command", "slack/interaction")),
        ("slack", {"auth_type": "socket"}, ()),
        ("hubspot", {"auth_type": "pat"}, ("hubspot/webhook",)),
        ("linear", {"auth_type": "apiKey"}, ("linear/event",)),
        ("zoom", {"auth_type": "serverToServer"}, ("zoom/event",)),
        ("twilio", {"auth_type": "authToken"}, ("twilio/message",)),
        ("telegram", {"BotToken": "1:x"}, ()),
        ("jira", {"auth_type": "apiToken"}, ()),
        ("anthropic", {"api_key": "x"}, ()),
        ("github", {}, ()),
        ("github", {"auth_type": "nonsense"}, ()),
    ],
)
def test_addresses(integration: str, variables: dict[str, str], expected: tuple[str, ...]) -> None:
    """They go by how the connection authenticates, and have its variables in them."""
    variables = {**variables, "connection_id": "con_1"}

    assert addresses_of(integration, variables, HERE) == tuple(f"{HERE}/{each}" for each in expected)


def test_without_a_public_address() -> None:
    """Nobody could reach it."""
    assert addresses_of("asana", {"pat": "x", "connection_id": "con_1"}, "") == ()


def test_an_unknown_integration() -> None:
    """It is said that there is none."""
    with pytest.raises(LookupError):
        addresses_of("nothing", {}, HERE)
