"""A connection and a browser, on the way to a service and back: what is stored, and what is refused."""

import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from accounts.provider import CLIENT_ID, Provider, providing
from accounts.stage import MINUTE, PUBLIC_URL, Stage, query_of
from autokitteh_server.accounts.errors import (
    Declined,
    NotConnected,
    OtherBrowser,
    ServiceUnavailable,
    StaleLink,
    TokenRefused,
)
from autokitteh_server.core.errors import ServerError
from autokitteh_server.core.masking import masker
from autokitteh_server.integrations.spec import Code, TokenAuth
from autokitteh_server.storage import connections, oauth_flows
from autokitteh_server.storage.database import Database


@pytest.fixture
def provider() -> Iterator[Provider]:
    with providing() as made:
        yield made


def test_a_person_lets_a_connection_in(database: Database, provider: Provider) -> None:
    """The token is stored in both spellings, encrypted, and the connection is marked as fine."""
    stage = Stage(database, provider)
    connection = stage.connection()

    finished = stage.connect(connection)

    assert (finished.connection, finished.title) == (connection, "The Service")
    assert stage.values(connection) == {
        "auth_type": "oauthDefault",
        "oauth_access_token": "s3cr3t-access-3",
        "oauth_AccessToken": "s3cr3t-access-3",
        "oauth_refresh_token": "s3cr3t-refresh-2",
        "oauth_RefreshToken": "s3cr3t-refresh-2",
        "oauth_expiry": "2025-06-01T01:00:00.000000Z",
        "oauth_Expiry": "2025-06-01T01:00:00.000000Z",
        "oauth_token_type": "Bearer",
        "oauth_TokenType": "Bearer",
    }
    assert not [name for name, value in stage.stored(connection).items() if "s3cr3t" in value]
    assert stage.marks.told == [(connection.id, Code.OK, "connected")]


def test_the_service_is_told_what_it_has_to_know(database: Database, provider: Provider) -> None:
    """Its app, the scopes as it separates them, where to come back to, and what it wants beside the standard."""
    stage = Stage(
        database, provider, scope_separator=",", authorize_params={"prompt": "consent"}, token_auth=TokenAuth.BASIC
    )

    stage.connect(stage.connection())

    (asked,) = provider.authorized
    assert re.fullmatch(r"ak1\.[0-9a-f]{8}\.[\w=-]+", asked.pop("state"))
    assert asked == {
        "response_type": "code",
        "client_id": CLIENT_ID,
        "redirect_uri": f"{PUBLIC_URL}/oauth/redirect/service",
        "scope": "read,write",
        "prompt": "consent",
    }
    (exchange,) = provider.asked
    assert exchange.authorization.startswith("Basic ")
    assert "client_secret" not in exchange.form


@pytest.mark.parametrize(("variables", "actor"), [({}, "user"), ({"actor": "application"}, "application")])
def test_a_parameter_may_be_the_connections(
    database: Database, provider: Provider, variables: dict[str, str], actor: str
) -> None:
    """Or else what is usual."""
    stage = Stage(database, provider, authorize_params={"actor": "{actor|user}"})

    stage.connect(stage.connection(**variables))

    assert provider.authorized[0]["actor"] == actor


def test_pkce_is_used_where_it_is_offered(database: Database) -> None:
    """The verifier does not leave the server before the exchange."""
    with providing(needs_pkce=True) as provider:
        stage = Stage(database, provider, uses_pkce=True)
        connection = stage.connection()
        stage.connect(connection)
        verifier = provider.asked[0].form["code_verifier"]

    assert 43 <= len(verifier) <= 128
    assert verifier not in str(provider.authorized)


def test_a_private_app_is_the_connections_own(database: Database, provider: Provider) -> None:
    """Its id and secret come from the connection, also in the older spelling; the server's environment has none."""
    stage = Stage(database, provider, environ={})
    newer = stage.connection(private_client_id=CLIENT_ID, private_client_secret="s3cr3t-of-the-app")
    older = stage.connection(client_id=CLIENT_ID, client_secret="s3cr3t-of-the-app")

    for connection in (newer, older):
        stage.connect(connection, "oauthPrivate")
        assert stage.values(connection)["auth_type"] == "oauthPrivate"


@pytest.mark.parametrize(
    ("auth_type", "says"),
    [
        ("oauthDefault", "SERVICE_CLIENT_ID is not set"),
        ("oauthPrivate", "no client id"),
        ("zoom", "needs nobody to agree"),
        ("pat", "gets no tokens by 'pat'"),
        ("unknown", "gets no tokens by 'unknown'"),
        ("", "is not connected yet"),
    ],
)
def test_what_cannot_begin_says_why(database: Database, provider: Provider, auth_type: str, says: str) -> None:
    """Before a browser is opened."""
    stage = Stage(database, provider, environ={})

    with pytest.raises(NotConnected, match=re.escape(says)):
        stage.accounts.oauth.begin(stage.connection(), auth_type)


def test_a_ticket_is_good_once_and_for_ten_minutes(database: Database, provider: Provider) -> None:
    """And only for the connection and the service it was made for."""
    stage = Stage(database, provider)
    oauth = stage.accounts.oauth
    connection = stage.connection()
    begun = oauth.begin(connection, "oauthDefault")
    query = query_of(begun.url)

    for name, cid, ticket in [
        ("service", "con_" + "0" * 26, query["ticket"]),
        ("other", connection.id, query["ticket"]),
        ("service", connection.id, "x" * 26),
        ("service", connection.id, ""),
    ]:
        with pytest.raises(StaleLink):
            oauth.start(name, cid, ticket)
    oauth.start("service", connection.id, query["ticket"])
    with pytest.raises(StaleLink, match="used already"):
        oauth.start("service", connection.id, query["ticket"])

    late = query_of(oauth.begin(connection, "oauthDefault").url)
    stage.clock.reach(begun.expires_at)
    with pytest.raises(StaleLink, match="older than ten minutes"):
        oauth.start("service", connection.id, late["ticket"])


def test_a_way_back_is_good_once(database: Database, provider: Provider) -> None:
    """A second time changes nothing, and the service is not asked."""
    stage = Stage(database, provider)
    connection = stage.connection()
    sent = stage.start(connection)
    query = stage.agree(sent)
    stage.finish(sent, query)
    before = stage.stored(connection)

    with pytest.raises(StaleLink, match="used already"):
        stage.finish(sent, query)

    assert stage.stored(connection) == before
    assert len(provider.asked) == 1


def test_of_many_who_come_back_at_once_one_is_heard(database: Database, provider: Provider) -> None:
    """A code is shown to the service once, whoever reloads the page however often."""
    stage = Stage(database, provider)
    sent = stage.start(stage.connection())
    query = stage.agree(sent)

    def finish(_: int) -> bool:
        try:
            stage.finish(sent, query)
        except StaleLink:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(finish, range(8))) == 1
    assert len(provider.asked) == 1


@pytest.mark.parametrize("state", ["", "x", "ak1.00000000.AAAA", "ak1.x", "\udc80", "a" * 5000])
def test_a_forged_state_changes_nothing(database: Database, provider: Provider, state: str) -> None:
    """Whatever it is, the service is not asked."""
    stage = Stage(database, provider)
    sent = stage.start(stage.connection())

    with pytest.raises(StaleLink):
        stage.finish(sent, {"state": state, "code": "s3cr3t-code-9"})

    assert provider.asked == []


def test_a_state_with_one_letter_changed_is_forged(database: Database, provider: Provider) -> None:
    """Every letter counts."""
    stage = Stage(database, provider)
    sent = stage.start(stage.connection())
    query = stage.agree(sent)
    state = query["state"]
    for place in range(len(state)):
        letter = "B" if state[place] == "A" else "A"
        with pytest.raises(StaleLink):
            stage.finish(sent, query | {"state": state[:place] + letter + state[place + 1 :]})
    assert provider.asked == []

    stage.finish(sent, query)  # the right one is good yet


def test_another_browser_changes_nothing(database: Database, provider: Provider) -> None:
    """Nobody can be made to finish what another began; the browser that began it still can."""
    stage = Stage(database, provider)
    connection = stage.connection()
    sent = stage.start(connection)
    query = stage.agree(sent)
    other = stage.start(stage.connection())

    for cookies in ({}, {sent.cookie: "x"}, {sent.cookie: other.value}, {other.cookie: other.value}):
        with pytest.raises(OtherBrowser):
            stage.accounts.oauth.finish("service", query, cookies)
    assert provider.asked == []
    assert stage.stored(connection) == {}

    stage.finish(sent, query)


def test_two_connections_can_be_connected_at_once_in_one_browser(database: Database, provider: Provider) -> None:
    """Each way has a cookie of its own."""
    stage = Stage(database, provider)
    ways = [stage.start(stage.connection()) for _ in range(2)]
    cookies = {sent.cookie: sent.value for sent in ways}

    for sent in ways:
        stage.accounts.oauth.finish("service", stage.agree(sent), cookies)

    assert len(cookies) == 2


def test_a_way_back_is_good_for_ten_minutes(database: Database, provider: Provider) -> None:
    """Later the person has to begin again; what is old is forgotten when somebody else begins."""
    stage = Stage(database, provider)
    sent = stage.start(stage.connection())
    query = stage.agree(sent)
    stage.clock.reach(stage.clock.now_us() + 10 * MINUTE)

    with pytest.raises(StaleLink, match="longer than ten minutes"):
        stage.finish(sent, query)

    stage.accounts.oauth.begin(stage.connection(), "oauthDefault")
    assert database.read(lambda conn: oauth_flows.count(conn)) == 1


def test_a_code_of_one_service_is_not_shown_to_another(database: Database, provider: Provider) -> None:
    """The way back must be that of the service that was asked."""
    stage = Stage(database, provider)
    sent = stage.start(stage.connection())

    with pytest.raises(StaleLink):
        stage.accounts.oauth.finish("other", stage.agree(sent), {sent.cookie: sent.value})

    assert provider.asked == []


def test_a_connection_that_is_gone_is_not_connected(database: Database, provider: Provider) -> None:
    """What was begun for it goes with it."""
    stage = Stage(database, provider)
    connection = stage.connection()
    sent = stage.start(connection)
    query = stage.agree(sent)
    database.write(lambda conn: connections.remove(conn, connection.id))

    with pytest.raises(StaleLink):
        stage.finish(sent, query)


def test_a_person_who_says_no_is_told_so(database: Database) -> None:
    """In the service's words; the way back is used up."""
    declines = {"error": "access_denied", "error_description": "They <b>said</b> no"}
    with providing(declines=declines) as provider:
        stage = Stage(database, provider)
        sent = stage.start(stage.connection())
        query = stage.agree(sent)

        with pytest.raises(Declined, match=r"the service says: They <b>said</b> no \(access_denied\)"):
            stage.finish(sent, query)
        with pytest.raises(Declined, match="sent the browser back with an error"):
            stage.finish(sent, query)


def test_a_stranger_puts_no_words_into_our_page(database: Database, provider: Provider) -> None:
    """Anybody can make a link to the way back; what is in it is shown only if the service was asked."""
    stage = Stage(database, provider)

    with pytest.raises(Declined) as raised:
        stage.accounts.oauth.finish("service", {"error": "x", "error_description": "Call 555-1234"}, {})

    assert "555" not in str(raised.value)


@pytest.mark.parametrize(
    ("answer", "kind", "says"),
    [
        ((400, b'{"error": "invalid_grant"}'), TokenRefused, "invalid_grant"),
        ((200, b'{"error": "bad_verification_code"}'), TokenRefused, "bad_verification_code"),
        ((200, b'{"ok": false}'), TokenRefused, "refuses"),
        ((400, b'{"error": {"code": 1}}'), TokenRefused, "refuses"),
        ((500, b'{"error": "invalid_grant"}'), ServiceUnavailable, "status 500"),
        ((429, b"slow down"), ServiceUnavailable, "status 429"),
        ((200, b"<html>"), ServiceUnavailable, "no token"),
        ((200, b"[1]"), ServiceUnavailable, "no token"),
        ((200, b"{}"), ServiceUnavailable, "no token"),
        ((200, b'{"access_token": 7}'), ServiceUnavailable, "no token"),
        ((200, b"\xff\xfe\x00"), ServiceUnavailable, "no token"),
        ((302, b""), ServiceUnavailable, "no token"),
        ((200, b" " * (2 << 20)), ServiceUnavailable, "larger than"),
    ],
)
def test_what_a_service_answers_is_told_plainly(
    database: Database, provider: Provider, answer: tuple[int, bytes], kind: type[ServerError], says: str
) -> None:
    """And nothing is stored; the person begins again."""
    stage = Stage(database, provider)
    connection = stage.connection()
    sent = stage.start(connection)
    query = stage.agree(sent)
    provider.fails_with = answer

    with pytest.raises(kind, match=says) as raised:
        stage.finish(sent, query)

    assert "s3cr3t" not in str(raised.value)
    assert stage.stored(connection) == {}
    provider.fails_with = None
    stage.connect(connection)


def test_a_service_that_does_not_answer_is_not_waited_for(database: Database, provider: Provider) -> None:
    """For longer than the time it is given."""
    stage = Stage(database, provider, timeout_s=0.2)
    sent = stage.start(stage.connection())
    query = stage.agree(sent)
    provider.hangs.clear()

    with pytest.raises(ServiceUnavailable, match="not answered in time"):
        stage.finish(sent, query)


def test_a_service_that_is_down_is_told_of(database: Database) -> None:
    """Without its URL, which may have secrets in it."""
    with providing() as provider:
        stage = Stage(database, provider)
        sent = stage.start(stage.connection())
        query = stage.agree(sent)

    with pytest.raises(ServiceUnavailable, match=r"127.0.0.1 cannot be asked \(ConnectError\)"):
        stage.finish(sent, query)


def test_no_message_has_a_secret(database: Database, provider: Provider) -> None:
    """A service that says back what it was sent is masked."""
    stage = Stage(database, provider)
    sent = stage.start(stage.connection())
    query = stage.agree(sent)
    provider.codes.clear()

    with pytest.raises(TokenRefused) as raised:
        stage.finish(sent, query)

    assert str(raised.value) == "the service refuses: invalid_grant (the code *** is not good)"
    assert masker.mask("s3cr3t-of-the-app") == "***"


def test_a_connection_can_be_connected_again(database: Database, provider: Provider) -> None:
    """The new token takes the place of the old one, and a refresh token that is not given anew goes."""
    stage = Stage(database, provider)
    connection = stage.connected()
    provider.extra = {"refresh_token": None, "expires_in": None}

    stage.connect(connection)

    values = stage.values(connection)
    assert values["oauth_access_token"] != "s3cr3t-access-0"
    assert not {"oauth_refresh_token", "oauth_RefreshToken", "oauth_expiry"} & values.keys()
