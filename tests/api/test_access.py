"""Who gets in: tokens with scopes and an end, the hosts and origins from which requests may come."""

import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest

from api.stage import Stage, staged
from api.test_errors import error_of, path_of, query_of
from autokitteh_server.api.app import ROUTES
from autokitteh_server.api.guard import AllowedHosts
from autokitteh_server.api.route import Route
from autokitteh_server.client.discovery import find_server
from autokitteh_server.config import HttpSettings
from autokitteh_server.core.api_types.tokens import CreateToken, Scope
from autokitteh_server.core.errors import FailedPrecondition, InvalidArgument, NotFound, Unauthenticated
from postgres_cluster import Cluster

ALL = list(Scope)


def token(stage: Stage, *scopes: Scope) -> str:
    """The secret of a new token."""
    return stage.client.tokens.create(CreateToken(name=stage.name("token"), scopes=list(scopes))).secret


@pytest.fixture(scope="module")
def secrets(stage: Stage) -> dict[Scope, str]:
    """By scope, a token that has all the others."""
    return {scope: token(stage, *(other for other in ALL if other is not scope)) for scope in ALL}


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation_id)
def test_scope_of_each_route(stage: Stage, secrets: dict[Scope, str], route: Route) -> None:
    """A token with every scope but the route's is refused, with the scope it lacks."""
    with stage.plain(secrets[route.scope]) as http:
        error = error_of(http.request(route.method, path_of(route), params=query_of(route), json={}), 403)

    assert error["code"] == "forbidden" and f"lacks the scope {route.scope}" in error["message"]


def test_changing_takes_more_than_reading() -> None:
    """No route that changes something is open to those who may only read, but for those that only look."""
    only_look = {"deploying_lint", "deploying_plan", "events_verify_filter"}
    reading = [route for route in ROUTES if route.scope is Scope.READ]

    assert {route.operation_id for route in reading if route.method != "GET"} == only_look
    assert all(route.scope is Scope.ADMIN for route in ROUTES if route.path.startswith("/tokens"))


def test_secret_values_take_a_scope_of_their_own(stage: Stage, secrets: dict[Scope, str]) -> None:
    """Asked for, secret values go to those who may see secrets; not asked for, to nobody."""
    owner = stage.deploy().project.name
    stage.http.put("/vars/KEY", params={"owner": owner}, json={"value": "hush", "is_secret": True})
    ask = {"owner": owner, "reveal": "true"}

    with stage.plain(secrets[Scope.SECRETS]) as other:
        error_of(other.get("/vars/KEY", params=ask), 403)
        error_of(other.get("/vars", params=ask), 403)
        assert other.get("/vars/KEY", params={"owner": owner}).json()["value"] is None
    assert stage.http.get("/vars/KEY", params=ask).json()["value"] == "hush"
    assert stage.http.get("/vars", params={"owner": owner}).json()["items"][0]["value"] is None


@pytest.mark.parametrize(
    "header", ["Bearer ak_wrong", "Bearer", "Basic YTpi", "ak_x", "Bearer \xfc", f"Bearer {'a' * 5000}"]
)
def test_wrong_credentials(stage: Stage, header: str) -> None:
    """They are refused alike, whatever they are."""
    with stage.plain() as http:
        error_of(http.get("/version", headers={b"authorization": header.encode("latin-1")}), 401)


def test_first_token(stage: Stage) -> None:
    """It is in a file that only its owner reads, and good for everything."""
    file = stage.data_dir / "token"

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text() == f"{stage.token}\n"
    assert [each.scopes for each in stage.client.tokens.page().items if each.name == "first"] == [ALL]


def test_first_token_is_made_once(tmp_path: Path) -> None:
    """A second start keeps it; also when its file was taken away, for somebody has it."""
    with staged(tmp_path) as first:
        secret = first.token
    (tmp_path / "data" / "token").unlink()
    with staged(tmp_path) as second, second.plain(secret) as http:
        assert not (tmp_path / "data" / "token").exists()
        assert http.get("/tokens").json()["items"][0]["name"] == "first"


def test_secret_is_not_kept(stage: Stage) -> None:
    """It is in the answer to whoever makes the token; neither later answers nor the database have it."""
    secret = token(stage, Scope.READ)

    assert secret.startswith("ak_") and len(secret) > 26
    assert secret not in stage.http.get("/tokens").text
    assert all(secret.encode() not in file.read_bytes() for file in stage.data_dir.glob("autokitteh.db*"))


def test_expiry(stage: Stage) -> None:
    """A token is good until its end, and not after it."""
    soon = datetime.now(UTC) + timedelta(seconds=0.3)
    made = stage.client.tokens.create(
        CreateToken(name=stage.name("token"), scopes=[Scope.READ], expires_at=soon.isoformat())
    )
    with stage.plain(made.secret) as http:
        while (answer := http.get("/version")).status_code == 200:
            assert datetime.now(UTC) < soon + timedelta(seconds=30)
        assert datetime.now(UTC) >= soon
        assert "has expired" in error_of(answer, 401)["message"]


@pytest.mark.parametrize(
    ("name", "scopes", "expires_at", "said"),
    [
        ("", ["read"], None, "cannot be the name of a token"),
        ("a b", ["read"], None, "cannot be the name of a token"),
        ("a", [], None, "scopes: there are none"),
        ("a", ["everything"], None, "scopes"),
        ("a", ["read"], "2001-01-01T00:00:00Z", "the moment is over"),
        ("a", ["read"], "tomorrow", "'tomorrow' is not a moment"),
        ("a", ["read"], "2099-01-01T00:00:00", "is not a moment"),
    ],
)
def test_bad_tokens(stage: Stage, name: str, scopes: list[str], expires_at: str | None, said: str) -> None:
    """Nothing is made of them."""
    before = stage.http.get("/tokens").json()["items"]

    error = error_of(stage.http.post("/tokens", json={"name": name, "scopes": scopes, "expires_at": expires_at}), 400)

    assert said in error["message"]
    assert len(stage.http.get("/tokens").json()["items"]) == len(before)


def test_revoking(stage: Stage) -> None:
    """A token that is revoked is good for nothing at once. Its name is free again."""
    name = stage.name("token")
    secret = stage.client.tokens.create(CreateToken(name=name, scopes=[Scope.READ])).secret
    with stage.plain(secret) as http:
        assert http.get("/version").status_code == 200
        with pytest.raises(FailedPrecondition, match="there is a token named"):
            stage.client.tokens.create(CreateToken(name=name, scopes=[Scope.READ]))
        stage.client.tokens.revoke(name)
        error_of(http.get("/version"), 401)
    with pytest.raises(NotFound):
        stage.client.tokens.revoke(name)
    stage.client.tokens.create(CreateToken(name=name, scopes=[Scope.READ]))


def test_last_token_stays(tmp_path: Path) -> None:
    """The only one that can make others cannot be revoked; one that expires does not count."""
    with staged(tmp_path) as stage:
        late = (datetime.now(UTC) + timedelta(days=1)).isoformat()
        stage.client.tokens.create(CreateToken(name="expiring", scopes=ALL, expires_at=late))
        with pytest.raises(FailedPrecondition, match="first is the last token"):
            stage.client.tokens.revoke("first")
        stage.client.tokens.create(CreateToken(name="other", scopes=[Scope.ADMIN]))
        stage.client.tokens.revoke("first")


def test_use_is_noted_once_a_minute(stage: Stage) -> None:
    """The first use is noted, and those right after it are not, for each would be a commit."""
    name = stage.name("token")
    secret = stage.client.tokens.create(CreateToken(name=name, scopes=[Scope.READ])).secret
    assert _last_use(stage, name) is None
    with stage.plain(secret) as http:
        http.get("/version")
        first = _last_use(stage, name)
        http.get("/version")
    assert first is not None and _last_use(stage, name) == first


def _last_use(stage: Stage, name: str) -> str | None:
    return next(each.last_used_at for each in stage.client.tokens.page().items if each.name == name)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:9980", "127.0.0.1.evil.example", "10.0.0.1", "[::2]"])
@pytest.mark.parametrize("path", ["/api/v1/version", "/api/v1/openapi.json", "/nothing"])
def test_other_hosts(stage: Stage, host: str, path: str) -> None:
    """A page whose name leads to this machine does not get a word out of the server, token or not."""
    headers = {"host": host, "authorization": f"Bearer {stage.token}"}

    error = error_of(httpx.get(stage.url + path, headers=headers, trust_env=False), 421)

    assert "http.allowed_hosts" in error["remedy"]


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST:1", "127.0.0.1", "[::1]:9980"])
def test_hosts_of_this_machine(stage: Stage, host: str) -> None:
    """Its own names are good, with any port."""
    headers = {"host": host, "authorization": f"Bearer {stage.token}"}

    assert httpx.get(f"{stage.url}/api/v1/version", headers=headers, trust_env=False).status_code == 200


@pytest.mark.parametrize("host", ["a:b:c", "[::1"])
def test_hosts_that_are_none(stage: Stage, host: str) -> None:
    """What cannot be read is refused."""
    answer = httpx.get(f"{stage.url}/api/v1/version", headers={"host": host}, trust_env=False)

    assert answer.status_code in (400, 421)


def test_hosts_from_the_settings(tmp_path: Path) -> None:
    """Names that are allowed, and that of the service URL, are good."""
    http = HttpSettings(addr="127.0.0.1:0", service_url="https://ak.example.com", allowed_hosts=("other.example.com",))
    with staged(tmp_path, http=http) as stage:
        for host, status in (("ak.example.com", 200), ("other.example.com", 200), ("third.example.com", 421)):
            with stage.plain(stage.token, host=host) as plain:
                assert plain.get("/version").status_code == status


def test_addresses_where_it_listens_everywhere() -> None:
    """Then any address is good, for none can be made to lead elsewhere; and names are not."""
    everywhere, here = AllowedHosts("0.0.0.0"), AllowedHosts("192.168.1.5")

    assert "10.0.0.1" in everywhere and "fe80::1" in everywhere and "evil.example" not in everywhere
    assert "192.168.1.5" in here and "10.0.0.1" not in here


@pytest.mark.parametrize("method", ["GET", "POST", "OPTIONS"])
def test_pages_of_other_origins(stage: Stage, method: str) -> None:
    """Are refused, with a token and without; and no answer tells a browser to show it to them."""
    for origin in ("https://evil.example", "null", "http://evil.example:80"):
        answer = stage.http.request(method, "/sessions", headers={"origin": origin}, json={})
        assert error_of(answer, 403)["code"] == "forbidden"
        assert not any(name.startswith("access-control") for name in answer.headers)


def test_pages_of_the_same_host(stage: Stage) -> None:
    """May ask."""
    assert stage.http.get("/version", headers={"origin": stage.url}).status_code == 200


def test_webhooks_are_open_to_all(stage: Stage) -> None:
    """A form of any page, and any name that leads here, may send to a webhook: its URL is the secret."""
    hook = stage.deploy(
        triggers="    - {name: hook, type: webhook, call: 'program.py:main'}\n"
    ).webhooks[0].webhook_url  # fmt: skip
    assert hook is not None
    headers = {"origin": "https://shop.example", "host": "tunnel.example"}

    assert httpx.post(hook, headers=headers, json={}, trust_env=False).status_code == 202


def test_health(stage: Stage) -> None:
    """Whoever asks hears that it lives, and that it is ready; no more."""
    for path in ("/health", "/ready"):
        answer = httpx.get(stage.url + path, headers={"host": "probe.example"}, trust_env=False)
        assert answer.status_code == 200 and list(answer.json()) == ["status"]


@pytest.mark.postgres
def test_a_database_that_is_away(tmp_path: Path, own_cluster: Cluster) -> None:
    """Whoever asks hears that it is, and not where it is: it is not known who asks."""
    with staged(tmp_path, db=own_cluster.url(own_cluster.create_database())) as stage:
        own_cluster.stop()
        ready = httpx.get(f"{stage.url}/ready", trust_env=False)
        for answer in (ready, stage.http.get("/projects"), stage.plain("ak_unknown").get("/projects")):
            assert (answer.status_code, answer.json()["error"]["code"]) == (503, "not_ready")
            assert "postgres" not in answer.text
        assert httpx.get(f"{stage.url}/health", trust_env=False).status_code == 200


def test_answers_are_not_for_frames_and_caches(stage: Stage) -> None:
    """Each answer of the API has the headers that say so; also errors."""
    for answer in (stage.http.get("/version"), stage.http.get("/nothing"), stage.plain().get("/version")):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["x-frame-options"] == "DENY"
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert "server" not in answer.headers


@pytest.mark.parametrize(
    ("url", "is_sent"),
    [
        ("http://127.0.0.1:1", True), ("http://localhost:1", True), ("http://[::1]:1", True),
        ("http://192.0.2.1:1", False), ("https://ak.example.com", False), ("http://localhost.example.com", False),
    ],
)  # fmt: skip
def test_token_of_a_folder_stays_on_its_machine(tmp_path: Path, url: str, is_sent: bool) -> None:
    """It is sent to nobody else, whoever that is; one that is given is."""
    (tmp_path / "token").write_text("ak_secret\n")

    assert find_server(tmp_path, url).token == ("ak_secret" if is_sent else "")
    assert find_server(tmp_path, url, "ak_given").token == "ak_given"


def test_unreadable_address_of_a_server(tmp_path: Path) -> None:
    """Is refused before anything is sent."""
    with pytest.raises(InvalidArgument, match="is no URL of a server"):
        find_server(tmp_path, "localhost:9980")
    with pytest.raises(Unauthenticated, match="the token has characters"):
        find_server(tmp_path, "http://localhost", "ä")
