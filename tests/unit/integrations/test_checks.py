"""Each integration's check, over real HTTP, against a stand-in for its service in all its moods."""

import base64
import ipaddress
import json
import ssl
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, load_pem_private_key
from cryptography.x509.oid import NameOID

from autokitteh_server.core.manifest_schema import INTEGRATIONS
from autokitteh_server.integrations.http import ServiceHttp
from autokitteh_server.integrations.registry import load_integration
from autokitteh_server.integrations.spec import Code, Status
from autokitteh_server.integrations.trying import try_connection
from unit.integrations.services import CASES, HERE, Case, private_key

NOW_S = 1_748_736_000


@dataclass
class Service:
    """A stand-in: `status` and `body` for everything, or what its routes say."""

    url: str
    routes: Mapping[str, Any] = field(default_factory=dict)
    status: int = 200
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    is_mute: bool = False
    asked: list[str] = field(default_factory=list)
    sent: list[Mapping[str, str]] = field(default_factory=list)


@pytest.fixture(scope="module")
def server() -> Iterator[Service]:
    """A stand-in for services on a port of this machine; the tests say how it answers."""
    with serve() as service:
        yield service


@contextmanager
def serve(tls: ssl.SSLContext | None = None) -> Iterator[Service]:
    over = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("content-length") or 0))
            route = f"{self.command} {self.path.partition('?')[0]}"
            service.asked.append(route)
            service.sent.append({name.lower(): value for name, value in self.headers.items()})
            if service.is_mute:
                over.wait()
                return
            found = service.routes.get(route)
            body = service.body if service.body is not None else json.dumps(found).encode()
            self.send_response(service.status if service.body is not None or found is not None else 404)
            for name, value in service.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = answer

        def log_message(self, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as http:
        http.daemon_threads = True
        if tls is not None:
            http.socket = tls.wrap_socket(http.socket, server_side=True)
        service = Service(url=f"http{'s' if tls else ''}://127.0.0.1:{http.server_address[1]}")
        thread = threading.Thread(target=partial(http.serve_forever, 0.01), name="service")
        thread.start()
        try:
            yield service
        finally:
            over.set()
            http.shutdown()
            thread.join()


def attempt(case: Case, url: str, timeout_s: float = 3.0) -> Status:
    """Try a connection whose service is at this address."""
    spec = load_integration(case.integration)
    variables = {
        "auth_type": case.auth_type,
        **{name: value.replace(HERE, url) for name, value in case.variables.items()},
    }
    api = spec.api
    for name, value in variables.items():
        api = api.replace(f"{{{name}}}", value)
    http = ServiceHttp(now_s=lambda: NOW_S, api=api, base_url=url, timeout_s=timeout_s)
    status = try_connection(spec, variables, http)
    check_no_secret(case, status)
    return status


def check_no_secret(case: Case, status: Status) -> None:
    """Raises if a message has a secret in it, or any of its parts that would be one by itself."""
    secret = load_integration(case.integration).secret_variables
    for name, value in case.variables.items():
        if name in secret:
            assert value not in status.message + status.remedy, name
    assert "nobody-may-see" not in status.message + status.remedy
    assert "PRIVATE KEY" not in status.message + status.remedy


def reset(service: Service, **how: Any) -> None:
    for name, value in vars(Service(url=service.url, **how)).items():
        setattr(service, name, value)


def test_every_way_to_authenticate_is_tried() -> None:
    """No integration is left out, and none of its auth types, but those that cannot be tried."""
    tried = {(case.integration, case.auth_type) for case in CASES}
    all_there_are = {(name, auth.name) for name in INTEGRATIONS for auth in load_integration(name).auth}

    assert all_there_are - tried == {("height", "oauthDefault"), ("height", "oauthPrivate")}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_right_credentials(server: Service, case: Case) -> None:
    """It says as whom it is connected, and what it has learnt, of variables that the description knows."""
    reset(server, routes=case.routes)

    status = attempt(case, server.url)

    assert status.code is Code.OK, status.message
    assert status.message.startswith(f"connected as {case.name}")
    assert case.learnt.items() <= status.variables.items()
    assert status.variables.keys() <= set(load_integration(case.integration).learns)
    assert server.asked == list(case.routes)


@pytest.mark.parametrize(
    ("code", "words", "expected"),
    [
        (401, "does not accept the credentials", Code.ERROR),
        (403, "does not permit", Code.ERROR),
        (429, "has had too many requests", Code.WARNING),
        (500, "has a problem of its own", Code.WARNING),
        (404, "does not know what was asked for", Code.ERROR),
        (400, "refuses the request", Code.ERROR),
    ],
)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_refusals(server: Service, case: Case, code: int, words: str, expected: Code) -> None:
    """Each has its own words, which say how to mend it; a service that repeats secrets is not repeated."""
    secrets = " ".join(case.variables.values())
    reset(server, status=code, body=json.dumps({"error": {"message": f"bad: {secrets[:150]}"}}).encode())

    status = attempt(case, server.url)

    assert status.code is expected
    assert words in status.message
    assert str(code) in status.message
    assert status.message.startswith(load_integration(case.integration).title)
    assert status.remedy
    assert status.variables == {}


@pytest.mark.parametrize("body", [b"<html>Welcome</html>", b"", b'"text"', b"\xff\xfe", b"[" * 100_000])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_garbage(server: Service, case: Case, body: bytes) -> None:
    """An answer that is none of the service's is said to be one."""
    reset(server, body=body)

    status = attempt(case, server.url)

    assert status.code is Code.ERROR
    assert "answered something" in status.message


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"data": null, "result": 7, "ok": 1}', b"[null]"])
@pytest.mark.parametrize("case", CASES, ids=str)
def test_json_of_another_shape(server: Service, case: Case, body: bytes) -> None:
    """JSON that lacks what is looked for is no answer of the service's, and no crash."""
    reset(server, body=body)

    status = attempt(case, server.url)

    # That a token may ask for its limits is all that can be asked of it.
    is_content = str(case) in ("github-oauth", "githubcopilot-oauth") and body.startswith(b"{")
    assert status.code is (Code.OK if is_content else Code.ERROR), status.message


@pytest.mark.parametrize("case", CASES, ids=str)
def test_slow_service(server: Service, case: Case) -> None:
    """One waits for some time only."""
    reset(server, is_mute=True)

    status = attempt(case, server.url, timeout_s=0.02)

    assert status.code is Code.WARNING
    assert status.message.endswith("did not answer within 0.02 s")
    assert status.remedy == "Try again later."


@pytest.mark.parametrize("case", CASES, ids=str)
def test_service_that_is_not_there(case: Case) -> None:
    """A closed port is told as such."""
    status = attempt(case, "http://127.0.0.1:1")

    assert status.code is Code.WARNING
    assert "cannot be reached: the connection was refused" in status.message


@pytest.mark.parametrize("case", CASES, ids=str)
def test_missing_credentials(server: Service, case: Case) -> None:
    """Without what it needs, nobody is asked, and what is missing is named."""
    reset(server)
    spec = load_integration(case.integration)
    auth = spec.auth_type(case.auth_type)
    assert auth is not None
    if all(each.is_optional for each in auth.fields) and not (auth.oauth and auth.oauth.authorize_url):
        return  # needs nothing
    http = ServiceHttp(now_s=lambda: NOW_S, base_url=server.url)

    status = try_connection(spec, {"auth_type": case.auth_type}, http)

    assert status.code is Code.INIT_REQUIRED
    assert status.message.startswith("it lacks ")
    assert "ak connection init" in status.remedy
    assert server.asked == []


@pytest.mark.parametrize("name", INTEGRATIONS)
def test_auth_type_that_there_is_not(server: Service, name: str) -> None:
    """A variable `auth_type` that says nonsense is told as such."""
    status = try_connection(load_integration(name), {"auth_type": "nonsense"}, ServiceHttp(now_s=lambda: NOW_S))

    assert status.code is Code.ERROR
    assert "auth_type" in status.message


def test_slack_says_no_with_200(server: Service) -> None:
    """Slack's own way of refusing is understood."""
    case = next(case for case in CASES if case.integration == "slack")
    for reason, code, words in [
        ("invalid_auth", Code.ERROR, "does not accept the token for auth.test (invalid_auth)"),
        ("missing_scope", Code.ERROR, "does not permit auth.test (missing_scope)"),
        ("ratelimited", Code.WARNING, "too many requests"),
    ]:
        reset(server, routes={"POST /auth.test": {"ok": False, "error": reason}})
        status = attempt(case, server.url)
        assert (status.code, words in status.message) == (code, True)


def test_slack_without_users_read(server: Service) -> None:
    """Then Slack does not tell the app; all else works, and what is known of the app is not forgotten."""
    case = next(case for case in CASES if case.integration == "slack")
    refusal = {"ok": False, "error": "missing_scope"}
    reset(server, routes={**case.routes, "POST /bots.info": refusal})

    assert "app_id" not in attempt(case, server.url).variables
    known = replace(case, variables={**case.variables, "app_id": "A7"})
    assert attempt(known, server.url).variables["install_ids"] == "A7//T1"


def test_linear_says_no_with_200(server: Service) -> None:
    """So is that of GraphQL."""
    case = next(case for case in CASES if case.integration == "linear")
    reset(server, routes={"POST /graphql": {"errors": [{"message": "Authentication required"}]}})

    status = attempt(case, server.url)

    assert status.code is Code.ERROR
    assert "Authentication required" in status.message


def test_sites_of_atlassian(server: Service) -> None:
    """With OAuth it must be one site, for an API token belongs to one."""
    case = next(case for case in CASES if str(case) == "jira-oauth")
    for sites, words in [
        ([], "gives access to no site"),
        ([{"id": "a", "name": "x"}, {"id": "b", "name": "y"}], "x, y"),
    ]:
        reset(server, routes={"GET /oauth/token/accessible-resources": sites})
        status = attempt(case, server.url)
        assert status.code is Code.ERROR
        assert words in status.message


def test_height_is_closed() -> None:
    """It says so, rather than that it does not answer."""
    variables = {"auth_type": "oauthDefault", "oauth_access_token": "t"}

    status = try_connection(load_integration("height"), variables, ServiceHttp(now_s=lambda: NOW_S))

    assert status.code is Code.WARNING
    assert "closed" in status.message


def test_daemon_of_microsoft_with_a_certificate() -> None:
    """Its own client can use that, and we cannot; with neither it is said what it needs."""
    spec = load_integration("microsoft_teams")
    variables = {"auth_type": "daemonApp", "private_client_id": "app-1", "private_tenant_id": "t-1"}
    http = ServiceHttp(now_s=lambda: NOW_S, base_url="http://127.0.0.1:1")

    with_one = try_connection(spec, variables | {"private_certificate": "-----BEGIN"}, http)
    without = try_connection(spec, variables, http)

    assert (with_one.code, without.code) == (Code.WARNING, Code.ERROR)
    assert "certificate" in with_one.message
    assert "needs a secret" in without.message


def test_cluster_with_an_authority_of_its_own(tmp_path: Path) -> None:
    """Its certificate is trusted because the configuration says so; elsewhere it is not."""
    certificate = own_certificate(tmp_path)
    case = next(case for case in CASES if case.integration == "kubernetes")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "both.pem")
    with serve(context) as service:
        service.routes = case.routes
        config = json.loads(case.variables["config_file"].replace(HERE, service.url))
        spec = load_integration("kubernetes")
        http = ServiceHttp(now_s=lambda: NOW_S)
        untrusted = try_connection(spec, {"config_file": json.dumps(config)}, http)
        config["clusters"][0]["cluster"]["certificate-authority-data"] = base64.b64encode(certificate).decode()
        trusted = try_connection(spec, {"config_file": json.dumps(config)}, http)
        config["clusters"][0]["cluster"]["certificate-authority-data"] = base64.b64encode(b"nonsense").decode()
        nonsense = try_connection(spec, {"config_file": json.dumps(config)}, http)

    assert (untrusted.code, trusted.code, nonsense.code) == (Code.ERROR, Code.OK, Code.ERROR)
    assert "not trusted" in untrusted.message


def own_certificate(folder: Path) -> bytes:
    """A certificate of this machine that it has signed itself, as PEM; with its key in a file."""
    key = load_pem_private_key(private_key().encode(), None)
    assert isinstance(key, RSAPrivateKey)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "here")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    builder = builder.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    certificate = builder.add_extension(names, critical=False).sign(key, SHA256()).public_bytes(Encoding.PEM)
    (folder / "both.pem").write_bytes(private_key().encode() + certificate)
    return certificate


def test_hostile_names(server: Service) -> None:
    """A name is anybody's: what a terminal would obey or no database takes is gone, and so is what is too much."""
    case = next(case for case in CASES if case.integration == "discord")
    name = "\x1b[2Jann\0\ud800\n" + "x" * 100_000
    reset(server, routes={"GET /users/@me": {"id": "7\0", "username": name}})

    status = attempt(case, server.url)

    assert status.code is Code.OK
    assert status.message.startswith("connected as  [2Jann   xxx")
    assert len(status.message) <= 600
    assert status.variables == {"BotID": "7 "}
