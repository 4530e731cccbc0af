"""Access tokens: when they are renewed, by whom, and what is said where that fails."""

import threading
from datetime import UTC, datetime, timedelta

import pytest

from autokitteh import _tokens, connections, testing
from autokitteh.errors import AutoKittehError, ConnectionInitError, EnvVarError, OAuthRefreshError

FUTURE = "2099-01-01T00:00:00Z"


def give(monkeypatch: pytest.MonkeyPatch, **variables: str) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(f"conn__{name}", value)


def within(**delta: float) -> str:
    """The time of expiry of a token that lasts so long."""
    return (datetime.now(UTC) + timedelta(**delta)).isoformat()


@pytest.mark.parametrize(
    ("text", "time"),
    [
        ("2025-03-01T10:11:12Z", datetime(2025, 3, 1, 10, 11, 12, tzinfo=UTC)),
        ("2025-03-01T10:11:12.5+02:00", datetime(2025, 3, 1, 8, 11, 12, 500_000, tzinfo=UTC)),
        ("2025-03-01 10:11:12.5 +0000 UTC", datetime(2025, 3, 1, 10, 11, 12, 500_000, tzinfo=UTC)),
        ("2025-03-01 10:11:12.123456789 -0800 PST m=+0.01", datetime(2025, 3, 1, 18, 11, 12, 123_456, tzinfo=UTC)),
        ("2025-03-01 10:11:12", datetime(2025, 3, 1, 10, 11, 12, tzinfo=UTC)),
        ("0001-01-01T00:00:00Z", None),
        ("0001-01-01 00:00:00 +0000 UTC", None),
        (" ", None),
    ],
)
def test_times(text: str, time: datetime | None) -> None:
    """Both spellings of a time are read; a zero time is no time."""
    assert _tokens.parse_time(text) == time


@pytest.mark.parametrize("text", ["soon", "2025-03-01", "2025-13-01T00:00:00Z", "1740823872"])
def test_what_is_no_time(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is an error that names the variable."""
    give(monkeypatch, oauth_access_token="a", oauth_expiry=text)
    with pytest.raises(EnvVarError, match="'conn__oauth_expiry' is not a time"):
        _tokens.access_token("conn")


def test_the_newer_spelling_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where both are there."""
    give(monkeypatch, oauth_AccessToken="old")
    assert _tokens.access_token("conn") == "old"
    give(monkeypatch, oauth_access_token="new")
    assert _tokens.access_token("conn") == "new"


def test_without_a_token(monkeypatch: pytest.MonkeyPatch) -> None:
    """The connection was not initialised."""
    with pytest.raises(ConnectionInitError):
        _tokens.access_token("conn")


def test_a_good_token_is_used_and_nobody_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """One that lasts, or that never expires."""
    with testing.session():
        give(monkeypatch, oauth_access_token="a")
        assert _tokens.access_token("conn") == "a"
        give(monkeypatch, oauth_expiry=within(hours=1))
        assert _tokens.access_token("conn") == "a"


def test_a_token_near_its_end_is_renewed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """All who ask get the new one, from one renewal."""
    give(monkeypatch, oauth_access_token="a", oauth_expiry=within(minutes=2))
    with testing.session() as runtime:
        runtime.tokens["conn"] = [("b", FUTURE), ("c", FUTURE)]
        found: list[str] = []
        threads = [threading.Thread(target=lambda: found.append(_tokens.access_token("conn"))) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert found == ["b"] * 8
        assert runtime.tokens["conn"] == [("c", FUTURE)]


def test_a_token_near_its_end_serves_where_there_is_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """And one past it does not."""
    with testing.session():
        give(monkeypatch, oauth_access_token="a", oauth_expiry=within(minutes=2))
        assert _tokens.access_token("conn") == "a"
        give(monkeypatch, oauth_expiry=within(minutes=-2))
        with pytest.raises(OAuthRefreshError, match="OAuth token of AutoKitteh connection 'conn' not refreshed"):
            _tokens.access_token("conn")


def test_a_new_token_in_the_environment_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """What was renewed replaces only the token that was there then, and only for who renewed it."""
    give(monkeypatch, oauth_access_token="a", oauth_expiry=within(minutes=-2))
    with testing.session() as runtime:
        runtime.tokens["conn"] = [("b", FUTURE)]
        assert _tokens.access_token("conn") == "b"
        give(monkeypatch, oauth_access_token="c", oauth_expiry=FUTURE)
        assert _tokens.access_token("conn") == "c"
    with testing.session() as runtime:
        runtime.tokens["conn"] = [("d", FUTURE)]
        give(monkeypatch, oauth_access_token="a", oauth_expiry=within(minutes=-2))
        assert _tokens.access_token("conn") == "d"


def test_a_refused_token_is_renewed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who comes with the same one later gets what the first one got."""
    give(monkeypatch, oauth_access_token="a")
    with testing.session() as runtime:
        runtime.tokens["conn"] = [("b", ""), ("c", "")]
        assert _tokens.renewed_token("conn", "a") == "b"
        assert _tokens.renewed_token("conn", "a") == "b"
        assert _tokens.renewed_token("conn", "b") == "c"


def test_refresh_oauth() -> None:
    """The token, and when it expires: in UTC, without saying so."""
    with testing.session() as runtime:
        runtime.tokens["conn"] = [("b", "2030-01-01T02:00:00+02:00"), ("c", "")]
        assert connections.refresh_oauth("zoom", "conn") == ("b", datetime(2030, 1, 1))
        assert connections.refresh_oauth("zoom", "conn") == ("c", datetime.max)
        with pytest.raises(OAuthRefreshError, match=r'runtime.tokens\[\'other\'\] = \[\("token", ""\)\]'):
            connections.refresh_oauth("zoom", "other")
        with pytest.raises(ValueError, match="is no name of a connection"):
            connections.refresh_oauth("zoom", "no name")


def test_encode_jwt() -> None:
    """The server signs what it is given."""
    with testing.session() as runtime:
        with pytest.raises(AutoKittehError, match="the server signs for 'conn', and this is no session"):
            connections.encode_jwt({"iss": "1"}, "conn", "RS256")
        runtime.sign = lambda connection, payload: f"{connection} {payload['iss']}"
        assert connections.encode_jwt({"iss": "1"}, "conn", "RS256") == "conn 1"
        with pytest.raises(ValueError, match="can only be RS256, not 'HS256'"):
            connections.encode_jwt({}, "conn", "HS256")
        with pytest.raises(TypeError, match="payload"):
            connections.encode_jwt({"iss": object()}, "conn", "RS256")
