"""Every helper's client makes its most common call, by the real library, to a stand-in for the service over HTTP."""

import asyncio
import pickle
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from autokitteh import testing
from sdk.fake_service import Moved, serving
from sdk.services import KEY, NAMES, SERVICES, Service

Given = Callable[..., None]

#: What pickles of clients and of their usual objects must not have in them.
SECRET = b"s3cr3t"


def give(given: Given, service: Service, url: str, **more: str) -> None:
    """Set a row's variables."""
    given(**{name: value.replace("URL", url) for name, value in (service.variables | more).items()})


@pytest.fixture(autouse=True)
def runtime(server: testing.MemoryRuntime) -> testing.MemoryRuntime:
    """A server that has a fresh token, and signs."""
    server.tokens["conn"] = [("s3cr3t-first", "2099-01-01T00:00:00Z")]
    server.sign = lambda connection, payload: f"signed for {connection}, {payload['iss']}"
    return server


@pytest.mark.parametrize("service", SERVICES, ids=NAMES)
def test_its_most_common_call(service: Service, given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service gets the call with the connection's credentials, and the code gets the answer."""
    with serving(service.routes) as fake:
        monkeypatch.setenv("ADDRESS", fake.url)
        give(given, service, fake.url)
        client = service.helper("conn", **service.arguments)
        assert service.call(client) == service.result
        assert fake.last().token == service.token


@pytest.mark.parametrize("service", SERVICES, ids=NAMES)
def test_it_reads_what_it_says(service: Service) -> None:
    """READS has the variables that were needed."""
    import sys

    assert set(service.variables) <= set(sys.modules[service.helper.__module__].READS)


@pytest.mark.parametrize("service", SERVICES, ids=NAMES)
def test_a_client_that_pickles_has_no_secret_in_it(
    service: Service, given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What holds a client can be recorded without its credentials; and the copy works."""
    with serving(service.routes) as fake:
        monkeypatch.setenv("ADDRESS", fake.url)
        give(given, service, fake.url)
        client = service.helper("conn", **service.arguments)
        service.call(client)
        try:
            payload = pickle.dumps(client)
        except (TypeError, AttributeError, pickle.PicklingError):
            return  # most clients cannot be pickled: then nobody records them
        assert SECRET not in payload
        assert service.call(pickle.loads(payload)) == service.result
        assert fake.last().token == service.token


RENEWABLE = [(service, name) for service, name in zip(SERVICES, NAMES, strict=True) if service.is_oauth]


@pytest.mark.parametrize("service", [service for service, _ in RENEWABLE], ids=[name for _, name in RENEWABLE])
def test_a_refused_token_is_renewed_and_the_call_made_again(
    service: Service, given: Given, runtime: testing.MemoryRuntime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that was made before goes on, with the new token, and renews it once."""
    good = {f"Bearer {KEY}"}
    with serving(service.routes, good) as fake:
        monkeypatch.setenv("ADDRESS", fake.url)
        give(given, service, fake.url)
        client = service.helper("conn", **service.arguments)
        assert service.call(client) == service.result
        good.clear()
        good.add("Bearer s3cr3t-second")
        runtime.tokens["conn"] = [("s3cr3t-second", "2099-01-01T00:00:00Z"), ("never", "")]
        assert service.call(client) == service.result
        assert [asked.token for asked in fake.asked].count("Bearer s3cr3t-second") >= 1
        assert service.call(client) == service.result
        assert [token for token, _ in runtime.tokens["conn"]] == ["never"]


EXPIRING = [
    (service, name)
    for service, name in zip(SERVICES, NAMES, strict=True)
    if "oauth_access_token" in service.variables or "oauth_AccessToken" in service.variables
]


@pytest.mark.parametrize("service", [service for service, _ in EXPIRING], ids=[name for _, name in EXPIRING])
def test_an_expired_token_is_renewed_before_the_call(
    service: Service, given: Given, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session that outlives its token never uses it again."""
    past = (datetime.now(UTC) - timedelta(hours=1)).isoformat()
    name = "oauth_expiry" if "oauth_access_token" in service.variables else "oauth_Expiry"
    with serving(service.routes) as fake:
        monkeypatch.setenv("ADDRESS", fake.url)
        give(given, service, fake.url, **{name: past})
        assert service.call(service.helper("conn", **service.arguments)) == service.result
        assert {asked.token for asked in fake.asked} == {"Bearer s3cr3t-first"}


def test_slack_pages_have_the_token_and_responses_do_not(given: Given) -> None:
    """The next pages of an answer are asked for with the token, and what is recorded is without it."""

    def channels(asked: Any) -> Any:
        return {
            "ok": True,
            "channels": [1],
            "response_metadata": {"next_cursor": "" if "cursor" in asked.form else "n"},
        }

    with serving({"POST /api/auth.test": {"ok": True}, "POST /api/conversations.list": channels}) as fake:
        given(private_bot_token=KEY, base_url=f"{fake.url}/api")
        from autokitteh.slack import slack_client

        response = slack_client("conn").conversations_list(limit=1)
        payload = pickle.dumps(response)
        assert SECRET not in payload
        assert [each for page in pickle.loads(payload) for each in page["channels"]] == [1, 1]
        assert {asked.token for asked in fake.asked} == {f"Bearer {KEY}"}


def test_slack_takes_a_token_with_the_call(given: Given) -> None:
    """A token that is given with one call is used for it."""
    with serving({"POST /api/auth.test": {"ok": True}}) as fake:
        given(BotToken=KEY, base_url=f"{fake.url}/api")
        from autokitteh.slack import slack_client

        slack_client("conn").auth_test(token="other")
        assert fake.last().token == "Bearer other"


def test_slack_asks_at_once_whether_the_token_is_good(given: Given) -> None:
    """A bad token is Slack's own error, when the client is made."""
    from slack_sdk.errors import SlackApiError

    from autokitteh.slack import slack_client

    with serving({"POST /api/auth.test": {"ok": False, "error": "invalid_auth"}}) as fake:
        given(BotToken=KEY, base_url=f"{fake.url}/api")
        with pytest.raises(SlackApiError, match="invalid_auth"):
            slack_client("conn")


def test_objects_of_github_survive_without_the_token(given: Given) -> None:
    """A repository that was recorded can be used again, with a token that its app gets anew."""
    from autokitteh.github import github_client

    routes = {
        "POST /app/installations/2/access_tokens": (201, {"token": KEY, "expires_at": "2099-01-01T00:00:00Z"}),
        "GET /repos/acme/app": {"full_name": "acme/app", "url": "/repos/acme/app"},
        "POST /repos/acme/app/issues": (201, {"number": 12}),
    }
    with serving(routes) as fake:
        given(app_id="1", install_id="2", base_url=fake.url)
        payload = pickle.dumps(github_client("conn").get_repo("acme/app"))
        assert SECRET not in payload
        assert pickle.loads(payload).create_issue(title="Crash").number == 12
        assert {asked.token for asked in fake.asked} == {"Bearer signed for conn, 1", f"token {KEY}"}


def test_a_github_app_with_its_own_key(given: Given) -> None:
    """A key on one line signs here, and is in nothing that is recorded."""
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    from autokitteh.github import github_client

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    routes = {
        "POST /app/installations/2/access_tokens": (201, {"token": KEY, "expires_at": "2099-01-01T00:00:00Z"}),
        "GET /repos/acme/app": {"full_name": "acme/app", "url": "/repos/acme/app"},
    }
    with serving(routes) as fake:
        given(app_id="1", install_id="2", base_url=fake.url, private_key=key.decode().replace("\n", "\\n"))
        repository = github_client("conn").get_repo("acme/app")
        payload = pickle.dumps(repository)
        assert SECRET not in payload and b"PRIVATE KEY" not in payload
        copy = pickle.loads(payload)
        copy.update()
        assert copy.full_name == "acme/app"
        assert fake.asked[0].token.startswith("Bearer ey")


def test_google_service_accounts(given: Given) -> None:
    """A service account gets its token with its key, which is in nothing that is recorded."""
    import json

    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    from autokitteh.google import google_sheets_client

    key = rsa.generate_private_key(public_exponent=65537, key_size=2048).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    routes = {
        "POST /token": {"access_token": KEY, "expires_in": 3600, "token_type": "Bearer"},
        "GET /v4/spreadsheets/s": {"spreadsheetId": "s"},
    }
    with serving(routes) as fake:
        account = {"private_key": key.decode(), "client_email": "a@b", "token_uri": f"{fake.url}/token"}
        given(auth_type="jsonKey", JSON=json.dumps(account), base_url=fake.url)
        sheets = google_sheets_client("conn").spreadsheets()
        assert sheets.get(spreadsheetId="s").execute() == {"spreadsheetId": "s"}
        payload = pickle.dumps(sheets)
        assert SECRET not in payload and b"PRIVATE KEY" not in payload
        assert pickle.loads(payload).get(spreadsheetId="s").execute() == {"spreadsheetId": "s"}
        assert fake.last().token == f"Bearer {KEY}"


def test_google_renews_here_where_the_apps_secret_is(given: Given, monkeypatch: pytest.MonkeyPatch) -> None:
    """With GOOGLE_CLIENT_SECRET in the environment the token is renewed without the server."""
    from autokitteh.google import gmail_client

    routes = {
        "POST /token": {"access_token": "new", "expires_in": 3600, "token_type": "Bearer"},
        "GET /gmail/v1/users/me/messages": {"messages": []},
    }
    with serving(routes) as fake:
        monkeypatch.setenv("GOOGLE_CLIENT_SECRET", "s")
        monkeypatch.setenv("GOOGLE_CLIENT_ID", "i")
        given(auth_type="oauth", oauth_AccessToken="old", oauth_RefreshToken="r", oauth_Expiry="2020-01-01T00:00:00Z")
        given(base_url=fake.url)
        gmail_client("conn").users().messages().list(userId="me").execute()
        assert fake.asked[0].form["refresh_token"] == "r"
        assert fake.last().token == "Bearer new"


def test_teams_daemon(given: Given) -> None:
    """An app without a user gets credentials of its own kind, and asks nobody when it is made."""
    from autokitteh.microsoft import teams_client

    given(auth_type="daemonApp", private_client_id="i", private_client_secret="s", private_tenant_id="t")
    assert type(teams_client("conn")).__name__ == "GraphServiceClient"
    given(auth_type="pat")
    with pytest.raises(ValueError, match="conn__auth_type is 'pat'"):
        teams_client("conn")


def test_telegram_is_async(given: Given) -> None:
    """What Telegram sends back can be recorded."""
    from autokitteh.telegram import telegram_client

    routes = {f"POST /bot{KEY}/getMe": {"ok": True, "result": {"id": 1, "is_bot": True, "first_name": "B"}}}
    with serving(routes) as fake:
        given(BotToken=KEY, base_url=fake.url)
        user = asyncio.run(telegram_client("conn").get_me())
        assert SECRET not in pickle.dumps(user)
        assert pickle.loads(pickle.dumps(user)).first_name == "B"


def test_a_redirect_has_the_token_on_the_same_host_alone(given: Given) -> None:
    """It is followed with the token there, and without it elsewhere, where a refusal does not bring it either."""
    from autokitteh.height import height_client

    given(oauth_access_token=KEY, oauth_refresh_token="r")
    with serving({"GET /there": {}}, {"none"}) as other, serving({"GET /there": {}}) as fake:
        fake.routes |= {
            "GET /here": Moved(f"{fake.url}/there"),
            "GET /away": Moved(other.url.replace("127.0.0.1", "localhost")),
        }
        session = height_client("conn")
        response = session.get(f"{fake.url}/here")
        assert response.status_code == 200
        assert [asked.token for asked in fake.asked] == [f"Bearer {KEY}"] * 2
        assert SECRET not in pickle.dumps(response)
        assert session.get(f"{fake.url}/away").status_code == 401
        assert [asked.token for asked in other.asked] == [""]


def test_what_was_uploaded_is_uploaded_again(given: Given) -> None:
    """After a refused token a file is sent from where it had been read."""
    import io

    from autokitteh.zoom import zoom_client

    with serving({"POST /v2/files": {}}, {"Bearer s3cr3t-first"}) as fake:
        given(oauth_access_token="s3cr3t-old", oauth_refresh_token="r", base_url=fake.url)
        file = io.BytesIO(b"#meow")
        file.seek(1)
        assert zoom_client("conn").post("files", data=file).status_code == 200
        assert [asked.body for asked in fake.asked] == [b"meow", b"meow"]


def test_a_token_that_stays_refused_is_not_asked_for_for_ever(given: Given) -> None:
    """The second refusal is the answer."""
    from autokitteh.zoom import zoom_client

    with serving({}, {"none"}) as fake:
        given(oauth_access_token="s3cr3t-old", oauth_refresh_token="r", base_url=fake.url)
        assert zoom_client("conn").get("users/me").status_code == 401
        assert len(fake.asked) == 2


def test_without_a_refresh_token_a_refusal_is_the_answer(given: Given) -> None:
    """Nobody is asked for a new one."""
    from autokitteh.zoom import zoom_client

    with serving({}, {"none"}) as fake:
        given(oauth_access_token="s3cr3t-old", base_url=fake.url)
        assert zoom_client("conn").get("users/me").status_code == 401
        assert len(fake.asked) == 1


def test_slack_renews_a_token_that_it_has_accepted_before(given: Given, runtime: testing.MemoryRuntime) -> None:
    """Slack says so with status 200. The call is made once more, and a second refusal is the answer."""
    from slack_sdk.errors import SlackApiError

    from autokitteh.slack import slack_client

    def post(asked: Any) -> Any:
        is_good = asked.token == good[0]
        return {"ok": True, "ts": "1.1"} if is_good else {"ok": False, "error": "token_expired"}

    good = [f"Bearer {KEY}"]
    with serving({"POST /api/auth.test": {"ok": True}, "POST /api/chat.postMessage": post}) as fake:
        given(oauth_access_token=KEY, oauth_refresh_token="r", base_url=f"{fake.url}/api")
        client = slack_client("conn")
        good[0] = "Bearer s3cr3t-second"
        runtime.tokens["conn"] = [("s3cr3t-second", "2099-01-01T00:00:00Z"), ("s3cr3t-third", "")]
        response = client.chat_postMessage(channel="C1", text="hi")
        assert response["ts"] == "1.1"
        assert b"s3cr3t" not in pickle.dumps(response)
        good[0] = "none"
        with pytest.raises(SlackApiError, match="token_expired"):
            client.chat_postMessage(channel="C1", text="hi")
        assert len(fake.asked) == 1 + 2 + 2


def test_hubspot_renews_a_token_that_is_refused(given: Given, runtime: testing.MemoryRuntime) -> None:
    """In each of its generated clients; a second refusal is the answer."""
    from autokitteh.hubspot import hubspot_client

    good = {"Bearer s3cr3t-first"}
    with serving({"GET /crm/v3/objects/contacts": {"results": []}}, good) as fake:
        given(oauth_AccessToken=KEY, oauth_RefreshToken="r", base_url=fake.url)
        client = hubspot_client("conn")
        runtime.tokens["conn"] = [("s3cr3t-second", "2099-01-01T00:00:00Z"), ("s3cr3t-third", "")]
        assert client.crm.contacts.basic_api.get_page().results == []
        good.clear()
        good.add("Bearer s3cr3t-second")
        assert client.crm.contacts.basic_api.get_page().results == []
        good.clear()
        with pytest.raises(Exception, match="401"):
            client.crm.contacts.basic_api.get_page()
        assert len(fake.asked) == 1 + 2 + 2
