"""Clients in real sessions: they go on after a replay and after a renewal, and no journal holds a token."""

from pathlib import Path
from typing import Any

import pytest

from autokitteh_server.core.entities import Session
from autokitteh_server.engine.requests import RequestError
from harness import Bench
from sdk.fake_service import serving

SECOND = "Bearer s3cr3t-second"

PROGRAM = """
from time import sleep

from autokitteh.zoom import zoom_client

client = zoom_client("conn")


def main(event):
    print(client.get("users/me").json()["id"])
    sleep(0.05)
    print(client.get("users/me").status_code)
"""


class Renewals:
    """The server's part: gives the second token, and notes who asks."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, bool]] = []

    def refresh(self, session: Session, connection: str, *, force: bool) -> dict[str, str]:
        self.asked.append((session.id, connection, force))
        return {"access_token": "s3cr3t-second", "expiry": ""}

    def sign(self, session: Session, connection: str, payload: dict[str, Any]) -> str:
        if "iss" not in payload:
            raise RequestError("ValueError", "no iss")
        return f"s3cr3t-signed-{connection}-{payload['iss']}"


def vars_of(url: str) -> dict[str, str]:
    return {
        "conn__oauth_access_token": "s3cr3t-first",
        "conn__oauth_refresh_token": "s3cr3t-refresh",
        "conn__base_url": url,
    }


def assert_not_kept(bench: Bench, *secrets: str) -> None:
    """Nothing of the server's on disk has these."""
    files = [path for path in bench.settings.data_dir.rglob("*") if path.is_file()]
    assert files
    for path in files:
        content = path.read_bytes()
        assert [secret for secret in secrets if secret.encode() in content] == [], path


@pytest.mark.parametrize("effects_per_turn", [None, 1], ids=["one process", "replayed after each effect"])
def test_a_session_outlives_its_token(tmp_path: Path, effects_per_turn: int | None) -> None:
    """A token that is refused is renewed by the server; each process asks for itself, and the journal has neither."""
    renewals = Renewals()
    bench = Bench(tmp_path, credentials=renewals, effects_per_turn=effects_per_turn)
    with serving({"GET /v2/users/me": {"id": "ann"}}, {SECOND}) as fake, bench:
        session = bench.submit(PROGRAM, "program.py:main", vars=vars_of(fake.url))
        result = bench.wait(session.id)
        assert (result.state, result.error) == ("COMPLETED", "")
        assert result.prints == ["ann", "200"]
        assert set(renewals.asked) == {(session.id, "conn", True)}
        assert [asked.token for asked in fake.asked].count(SECOND) == 2
        assert not [record for record in result.records if record.kind in ("refresh_token", "sign_jwt")]
    assert_not_kept(bench, "s3cr3t-second")


def test_a_print_of_a_fresh_token_is_masked(tmp_path: Path) -> None:
    """As one that the session began with is."""
    program = """
from autokitteh.connections import encode_jwt, refresh_oauth

def main(event):
    print("token", refresh_oauth("zoom", "conn"))
    print("signed", encode_jwt({"iss": 7}, "conn", "RS256"))
    try:
        encode_jwt({}, "conn", "RS256")
    except ValueError as error:
        print(error)
"""
    with Bench(tmp_path, credentials=Renewals()) as bench:
        result = bench.wait(bench.submit(program, "program.py:main").id)
        assert result.prints == [
            "token ('***', datetime.datetime(9999, 12, 31, 23, 59, 59, 999999))",
            "signed ***",
            "no iss",
        ]
    assert_not_kept(bench, "s3cr3t")


def test_a_server_without_oauth_says_so(tmp_path: Path) -> None:
    """The code gets the error of a token that was not renewed, and can catch it."""
    program = """
from autokitteh import OAuthRefreshError
from autokitteh.connections import encode_jwt, refresh_oauth

def main(event):
    try:
        refresh_oauth("zoom", "conn")
    except OAuthRefreshError as error:
        print(error)
    encode_jwt({}, "conn", "RS256")
"""
    with Bench(tmp_path) as bench:
        result = bench.wait(bench.submit(program, "program.py:main").id)
        assert result.prints == [
            "OAuth token of AutoKitteh connection 'conn' not refreshed: this server has no OAuth for the connection"
        ]
        assert "AutoKittehError: this server has no key of an app for the connection" in result.error
