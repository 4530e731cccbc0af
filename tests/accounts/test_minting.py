"""Tokens that need nobody to agree, all by the same door; GitHub apps; and signatures."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jwt
from joserfc.jwk import RSAKey

from accounts.provider import CLIENT_ID, CLIENT_SECRET, Provider, providing
from accounts.stage import MINUTE, START, Stage
from autokitteh_server.accounts.errors import Declined, NotConnected, ServiceUnavailable, TokenRefused
from autokitteh_server.storage.database import Database

PRIVATE = {"private_client_id": CLIENT_ID, "private_client_secret": CLIENT_SECRET}


@pytest.fixture
def provider() -> Iterator[Provider]:
    with providing() as made:
        yield made


@pytest.fixture(scope="module")
def key() -> str:
    """A private key as PEM."""
    made = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    return made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


def read(token: str, key: str) -> dict[str, Any]:
    """A JSON Web Token's claims, if the key has signed it."""
    return dict(jwt.decode(token, RSAKey.import_key(key), algorithms=["RS256"]).claims)


def test_zooms_account_tokens_are_minted(database: Database, provider: Provider) -> None:
    """With Basic and the account's id; they are stored with their expiry, and minted again before it."""
    stage = Stage(database, provider)
    connection = stage.connection(auth_type="zoom", private_account_id="acc", **PRIVATE)

    first = stage.accounts.tokens.fresh(connection)
    assert stage.accounts.tokens.fresh(connection) == first
    stage.clock.reach(START + 55 * MINUTE)
    assert stage.accounts.tokens.fresh(connection) != first

    assert [each.form for each in provider.asked] == [{"grant_type": "account_credentials", "account_id": "acc"}] * 2
    assert provider.asked[0].authorization.startswith("Basic ")
    values = stage.values(connection)
    assert values["oauth_access_token"] == values["oauth_AccessToken"] == provider.good_access
    assert "oauth_refresh_token" not in values


def test_client_credentials_are_for_an_audience(database: Database, provider: Provider) -> None:
    """Whose parameters have the connection's variables in them."""
    stage = Stage(database, provider)
    connection = stage.connection(auth_type="client", domain="acme.eu.auth0.com", **PRIVATE)

    stage.accounts.tokens.fresh(connection)

    assert provider.asked[0].form == {
        "grant_type": "client_credentials",
        "audience": "https://acme.eu.auth0.com/api/",
        "client_id": CLIENT_ID,
        "client_secret": CLIENT_SECRET,
    }


@pytest.mark.parametrize("domain", ["acme.example", "https://acme.example/", "http://acme.example"])
def test_a_host_may_be_given_as_it_was_copied(database: Database, provider: Provider, domain: str) -> None:
    """With or without what stands before and behind it in a browser."""
    stage = Stage(database, provider)

    stage.accounts.tokens.fresh(stage.connection(auth_type="client", domain=domain, **PRIVATE))

    assert provider.asked[0].form["audience"] == "https://acme.example/api/"


@pytest.mark.parametrize("domain", ["", "acme.com@evil.example", "evil.example?x=", "evil.example#", "a b"])
def test_a_variable_makes_no_other_url(database: Database, provider: Provider, domain: str) -> None:
    """Of the service's."""
    stage = Stage(database, provider)
    with pytest.raises(NotConnected, match="domain"):
        stage.accounts.tokens.fresh(stage.connection(auth_type="client", domain=domain, **PRIVATE))
    assert provider.asked == []


def test_a_service_account_signs_for_its_token(database: Database, provider: Provider, key: str) -> None:
    """With its own key, for its scopes, for an hour."""
    stage = Stage(database, provider)
    file = json.dumps({"type": "service_account", "client_email": "robot@x.example", "private_key": key})
    connection = stage.connection(auth_type="jsonKey", JSON=file)

    token = stage.accounts.tokens.fresh(connection)

    assert token.access == provider.good_access
    claims = read(provider.asked[0].form["assertion"], key)
    assert claims == {
        "iss": "robot@x.example",
        "scope": "https://scope/a https://scope/b",
        "aud": f"{provider.url}/token",
        "iat": START // 1_000_000,
        "exp": START // 1_000_000 + 3600,
    }


@pytest.mark.parametrize(
    "file", ["", "x", "[]", "{}", '{"client_email": 1, "private_key": 2}', '{"client_email": "a", "private_key": "b"}']
)
def test_a_broken_key_file_is_told_of(database: Database, provider: Provider, file: str) -> None:
    """Without showing it."""
    stage = Stage(database, provider)
    with pytest.raises(NotConnected, match="key"):
        stage.accounts.tokens.fresh(stage.connection(auth_type="jsonKey", JSON=file))


INSTALLATION = {
    "id": 42,
    "account": {"login": "acme"},
    "target_id": 7,
    "target_type": "Organization",
    "repository_selection": "all",
    "permissions": {"issues": "write"},
    "events": ["push"],
    "updated_at": "2025-01-01T00:00:00Z",
}
INSTALLED = {
    "/app/installations/42": INSTALLATION,
    "/app/installations/42/access_tokens": {"token": "s3cr3t-installation", "expires_at": "2025-06-01T01:00:00Z"},
}


def test_a_github_app_is_installed(database: Database, provider: Provider, key: str) -> None:
    """Its installation is read and its first token had with the app's key; a token's end is renewed as others are."""
    provider.pages.update(INSTALLED)
    environ = {"SERVICE_APP_ID": "99", "SERVICE_APP_NAME": "kitteh", "SERVICE_PRIVATE_KEY": key.replace("\n", "\\n")}
    stage = Stage(database, provider, environ=environ)
    connection = stage.connection()

    sent = stage.start(connection, "app")
    assert sent.location.startswith(f"{provider.url}/apps/kitteh/installations/new?state=ak1.")
    state = sent.location.rpartition("=ak1")[2].replace("%3D", "=")
    stage.finish(sent, {"state": f"ak1{state}", "installation_id": "42", "setup_action": "install"})

    values = stage.values(connection)
    assert values["install_key__99__42"] == values["target_name"] == "acme"
    assert (values["app_id"], values["install_id"], values["auth_type"]) == ("99", "42", "app")
    assert values["oauth_access_token"] == "s3cr3t-installation"
    signed = provider.asked[-1].authorization.removeprefix("Bearer ")
    at = START // 1_000_000
    assert read(signed, key) == {"iat": at - 60, "exp": at + 300, "iss": "99"}
    asked = len(provider.asked)
    assert stage.accounts.tokens.fresh(connection).expires_at == START + 60 * MINUTE
    stage.clock.reach(START + 56 * MINUTE)
    stage.accounts.tokens.fresh(connection)
    assert len(provider.asked) == asked + 1


def test_a_private_github_app_gets_nothing_of_the_servers(database: Database, provider: Provider, key: str) -> None:
    """Neither its key nor its id, where its own is missing; nor is it the other way around."""
    environ = {"SERVICE_APP_ID": "99", "SERVICE_APP_NAME": "kitteh", "SERVICE_PRIVATE_KEY": key}
    stage = Stage(database, provider, environ=environ)
    with pytest.raises(NotConnected, match="no app_name"):
        stage.start(stage.connection(), "appPrivate")
    sent = stage.start(stage.connection(app_name="another"), "app")
    assert "/apps/kitteh/" in sent.location


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ({"setup_action": "request"}, "waits for an administrator"),
        ({"installation_id": "42/../43"}, "which installation"),
        ({}, "which installation"),
    ],
)
def test_an_installation_that_is_none_is_told_of(
    database: Database, provider: Provider, key: str, query: dict[str, str], says: str
) -> None:
    """Nothing is stored."""
    environ = {"SERVICE_APP_ID": "99", "SERVICE_APP_NAME": "kitteh", "SERVICE_PRIVATE_KEY": key}
    stage = Stage(database, provider, environ=environ)
    connection = stage.connection()
    sent = stage.start(connection, "app")
    state = sent.location.rpartition("state=")[2].replace("%3D", "=")

    with pytest.raises(Declined, match=says):
        stage.finish(sent, {"state": state, **query})

    assert stage.stored(connection) == {}


def test_a_session_signs_with_a_key_that_it_does_not_see(database: Database, provider: Provider, key: str) -> None:
    """The connection's own, or for GitHub the server's; no other connection is signed for with that one."""
    own = Stage(database, provider)
    assert read(own.accounts.tokens.sign(own.connection(private_key=key), {"iss": 7}), key) == {"iss": 7}
    with pytest.raises(NotConnected, match="no key of an app"):
        own.accounts.tokens.sign(own.connection(), {"iss": 7})
    with pytest.raises(NotConnected, match="no RSA key") as raised:
        own.accounts.tokens.sign(own.connection(private_key="s3cr3t-key"), {})
    assert raised.value.__cause__ is None

    environ = {"GITHUB_PRIVATE_KEY": key}
    github = Stage(database, provider, name="github", environ=environ)
    assert read(github.accounts.tokens.sign(github.connection(), {"iss": 7}), key) == {"iss": 7}
    other = Stage(database, provider, environ=environ)
    with pytest.raises(NotConnected):
        other.accounts.tokens.sign(other.connection(), {"iss": 7})


@pytest.mark.parametrize(
    ("name", "extra", "pages", "learnt"),
    [
        (
            "slack",
            {"ok": True, "app_id": "A1", "team": {"id": "T1", "name": "Acme"}, "bot_user_id": "U1", "enterprise": None},
            {},
            {"team_id": "T1", "team_name": "Acme", "app_id": "A1", "user_id": "U1", "install_ids": "A1//T1"},
        ),
        (
            "salesforce",
            {"instance_url": "https://acme.my.salesforce.com", "id": "https://login.salesforce.com/id/00D/005"},
            {},
            {"instance_url": "https://acme.my.salesforce.com", "organization_id": "00D", "user_id": "005"},
        ),
        (
            "jira",
            {},
            {"/oauth/token/accessible-resources": [{"id": "s-1", "url": "https://acme.atlassian.net", "name": "acme"}]},
            {"AccessID": "s-1", "AccessURL": "https://acme.atlassian.net", "AccessName": "acme"},
        ),
        (
            "gmail",
            {"scope": "a b"},
            {"/oauth2/v2/userinfo": {"id": "1", "email": "ann@acme.example", "name": "Ann"}},
            {"user_id": "1", "user_email": "ann@acme.example", "user_name": "Ann", "user_scope": "a b"},
        ),
        ("hubspot", {}, {"/integrations/v1/me": {"portalId": 123}}, {"portal_id": "123"}),
    ],
)
def test_services_tell_of_the_account(
    database: Database,
    provider: Provider,
    name: str,
    extra: dict[str, Any],
    pages: dict[str, Any],
    learnt: dict[str, str],
) -> None:
    """What helpers and events go by is stored with the token."""
    provider.extra = extra
    provider.pages.update(pages)
    stage = Stage(database, provider, name=name)
    connection = stage.connection(base_url=provider.url)

    stage.connect(connection)

    assert learnt.items() <= stage.values(connection).items()


def test_slacks_token_for_a_person_is_found(database: Database, provider: Provider) -> None:
    """Where it is the only one."""
    provider.fails_with = (
        200,
        b'{"ok": true, "authed_user": {"id": "U2", "access_token": "s3cr3t-person", "token_type": "user"}}',
    )
    stage = Stage(database, provider, name="slack")
    connection = stage.connection()

    stage.connect(connection)

    values = stage.values(connection)
    assert (values["oauth_access_token"], values["oauth_token_type"]) == ("s3cr3t-person", "user")


@pytest.mark.parametrize(
    ("found", "says"),
    [
        ([], "no site"),
        ({}, "no site"),
        ([{"id": "1", "name": "a"}, {"id": "2", "name": "b"}], "several sites: a, b"),
    ],
)
def test_an_account_with_other_than_one_site_is_told_so(
    database: Database, provider: Provider, found: Any, says: str
) -> None:
    """Requests would not know where to go."""
    provider.pages["/oauth/token/accessible-resources"] = found
    stage = Stage(database, provider, name="jira")
    connection = stage.connection(base_url=provider.url)

    with pytest.raises(Declined, match=says):
        stage.connect(connection)

    assert "oauth_access_token" not in stage.values(connection)


def test_a_service_that_refuses_to_mint_is_told_of(database: Database, provider: Provider) -> None:
    """As one that refuses to renew is."""
    stage = Stage(database, provider)
    connection = stage.connection(auth_type="zoom", private_account_id="acc", **PRIVATE)
    provider.fails_with = (400, b'{"reason": "Invalid client_id or client_secret", "error": "invalid_client"}')
    with pytest.raises(TokenRefused, match="invalid_client"):
        stage.accounts.tokens.fresh(connection)
    assert [code.value for _, code, _ in stage.marks.told] == ["error"]
    provider.fails_with = (200, b"")
    with pytest.raises(ServiceUnavailable):
        stage.accounts.tokens.fresh(connection)
