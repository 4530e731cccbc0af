"""Forms: what is asked for, what is refused, and what is kept."""

import json

import pytest

from autokitteh_server.core.errors import InvalidArgument
from autokitteh_server.core.manifest_schema import INTEGRATIONS
from autokitteh_server.integrations.forms import auth_in_use, choose_auth, fields_of, find_problem, read_form
from autokitteh_server.integrations.registry import load_integration
from autokitteh_server.integrations.spec import AuthType, Code, Field, Integration

WAYS = [(name, auth.name) for name in INTEGRATIONS for auth in load_integration(name).auth]

#: What a field takes that takes not anything.
VALUES = {
    "account_sid": "AC01",
    "actor": "application",
    "app_id": "12",
    "app_token": "xapp-1",
    "auth0_domain": "acme.auth0.com",
    "base_url": "https://acme.atlassian.net",
    "company_domain": "https://acme.pipedrive.com",
    "config_file": '{"clusters": []}',
    "email": "ann@acme.com",
    "enterprise_url": "https://github.acme.com",
    "form_id": "1FAIpQLSd_abcdefghijk",
    "json": json.dumps({"client_email": "a@b", "private_key": "k"}),
    "region": "eu-central-1",
    "resource": "/teams/getAllMessages, /chats/1/messages",
}


def way(name: str, auth_name: str) -> tuple[Integration, AuthType]:
    spec = load_integration(name)
    auth = spec.auth_type(auth_name)
    assert auth is not None
    return spec, auth


def value_for(name: str, field: Field) -> str:
    if field.name == "bot_token":
        return "xoxb-1" if name == "slack" else "12:abc"
    return VALUES.get(field.name, "anything")


def filled_in(name: str, auth_name: str) -> dict[str, str]:
    spec, auth = way(name, auth_name)
    return {field.name: value_for(name, field) for field in fields_of(spec, auth)}


@pytest.mark.parametrize(("name", "auth_name"), WAYS)
def test_form_that_is_filled_in(name: str, auth_name: str) -> None:
    """Every field is kept in its variable, and the way to authenticate as well."""
    spec, auth = way(name, auth_name)

    kept = read_form(spec, auth, filled_in(name, auth_name), ())

    assert kept["auth_type"] == auth_name
    assert {each.kept_in for each in fields_of(spec, auth)} <= kept.keys()
    assert {other for each in auth.fields for other in each.also} <= kept.keys()


@pytest.mark.parametrize(("name", "auth_name"), WAYS)
def test_field_that_there_is_not(name: str, auth_name: str) -> None:
    """It is named, and so are those that there are; the value is not."""
    spec, auth = way(name, auth_name)

    with pytest.raises(InvalidArgument, match="has no field 'zzz'") as refusal:
        read_form(spec, auth, {**filled_in(name, auth_name), "zzz": "hush-hush"}, ())

    assert "hush" not in str(refusal.value)
    assert refusal.value.remedy


@pytest.mark.parametrize(("name", "auth_name"), WAYS)
def test_each_field_missing_and_wrong(name: str, auth_name: str) -> None:
    """A field that is needed is missed by its name; one with a form of its own is refused without its value."""
    spec, auth = way(name, auth_name)
    full = filled_in(name, auth_name)
    for each in auth.fields:
        others = {key: value for key, value in full.items() if key != each.name}
        if not each.is_optional:
            for blank in ({}, {each.name: "  "}):
                with pytest.raises(InvalidArgument, match=f"^{each.name} is missing"):
                    read_form(spec, auth, {**others, **blank}, ())
            assert each.kept_in not in read_form(spec, auth, others, [each.kept_in])  # it stays as it is
        if each.pattern or each.clean is not str.strip:
            with pytest.raises(InvalidArgument, match=f"^{each.name} ") as refusal:
                read_form(spec, auth, {**others, each.name: "hush hush/!"}, ())
            assert "hush" not in str(refusal.value)
        if not each.is_multiline:
            with pytest.raises(InvalidArgument, match=f"^{each.name} "):
                read_form(spec, auth, {**others, each.name: "one\ntwo"}, ())


@pytest.mark.parametrize(("name", "auth_name"), WAYS)
def test_connection_is_ready_with_what_its_form_gave(name: str, auth_name: str) -> None:
    """Nothing is missing then but consent; and the way is found also without its name."""
    spec, auth = way(name, auth_name)
    kept = read_form(spec, auth, filled_in(name, auth_name), ())
    if auth.oauth is not None and auth.oauth.authorize_url:
        problem = find_problem(spec, kept)
        assert problem is not None
        assert problem.code is Code.INIT_REQUIRED
        assert "consent" in problem.message
        kept["oauth_access_token"] = "t"

    assert find_problem(spec, kept) is None
    assert auth_in_use(spec, kept) is auth
    assert auth_in_use(spec, {key: value for key, value in kept.items() if key != "auth_type"}) is not None


@pytest.mark.parametrize("name", INTEGRATIONS)
def test_connection_without_anything(name: str) -> None:
    """It needs to be initialized, unless it needs nothing."""
    problem = find_problem(load_integration(name), {})

    assert (problem is None) == (name == "autokitteh")
    assert problem is None or problem.code is Code.INIT_REQUIRED


@pytest.mark.parametrize(
    ("name", "auth_name", "expected"),
    [
        ("gmail", "json", "jsonKey"),
        ("gmail", "oauthDefault", "oauth"),
        ("twilio", "authToken", "apiToken"),
        ("aws", "awsConfig", "initialized"),
        ("chatgpt", "key", "initialized"),
        ("slack", "socket", "socketMode"),
        ("slack", "oauth", "oauthDefault"),
    ],
)
def test_older_names(name: str, auth_name: str, expected: str) -> None:
    """What older connections are called is taken for what it is now."""
    assert choose_auth(load_integration(name), auth_name, ()).name == expected


def test_choice_by_what_is_given() -> None:
    """Fields say which way is meant; if they do not, one has to say."""
    jira, slack = load_integration("jira"), load_integration("slack")

    assert choose_auth(jira, "", ["base_url", "token", "email"]).name == "apiToken"
    assert choose_auth(jira, "", ["base_url", "token"]).name == "pat"
    assert choose_auth(slack, "", ["bot_token", "app_token"]).name == "socketMode"
    assert choose_auth(load_integration("discord"), "", []).name == "initialized"
    assert choose_auth(load_integration("discord"), "", ["zzz"]).name == "initialized"
    with pytest.raises(InvalidArgument, match="has several auth types"):
        choose_auth(slack, "", [])
    with pytest.raises(InvalidArgument, match="no auth type 'socketmode'") as refusal:
        choose_auth(slack, "socketmode", [])
    assert refusal.value.remedy == "Did you mean socketMode?"


def test_what_is_kept_of_an_address() -> None:
    """Of the address of a site, scheme and host; of a host that is written as an address, the host."""
    values = {"base_url": "https://acme.atlassian.net/wiki/home", "token": "t"}

    assert read_form(*way("jira", "pat"), values, ())["BaseURL"] == "https://acme.atlassian.net"
    values = {"client_id": "i", "client_secret": "s", "auth0_domain": "https://acme.auth0.com/"}
    assert read_form(*way("auth0", "oauth"), values, ())["auth0_domain"] == "acme.auth0.com"


def test_secret_variables() -> None:
    """What is encrypted: also the tokens that OAuth gives."""
    secret = load_integration("slack").secret_variables

    assert {"private_bot_token", "private_signing_secret", "oauth_access_token", "oauth_RefreshToken"} <= secret
    assert "SecretToken" in load_integration("telegram").secret_variables
    assert "WebhookSecret_created" in load_integration("confluence").secret_variables
    assert not {"team_id", "private_client_id", "auth_type", "oauth_expiry"} & secret
