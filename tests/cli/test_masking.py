"""Nowhere that people look is there a secret of a session's, whatever its code does with it."""

import base64
import json
import subprocess
from collections.abc import Iterator
from urllib.parse import quote, quote_plus

import httpx
import pytest

from ak_process import PATIENCE_S, Ak, finish
from cli.test_up import url_of

PROGRAM = """
import base64, json, logging, os, sys, urllib.parse, warnings
import autokitteh

NAMES = ["TOKEN", "QUOTED", "PEM", "LONG"]

class Login:
    def __init__(self, secret):
        self.secret = secret
    def __repr__(self):
        return f"Login({self.secret!r}, {'x' * 200})"

@autokitteh.activity
def send(secret, *others, **more):
    print("in the activity", secret)
    if others:
        sys.stdout.write("not finished " + secret[: len(secret) // 2])
    return {"sent": secret, "again": [secret, secret], "login": Login(secret)}

@autokitteh.activity
def fail(secret):
    raise ValueError("refused: " + secret)

def forms(secret):
    data = secret.encode()
    yield secret
    yield repr(secret)
    yield repr(data)
    yield ascii([secret])
    yield json.dumps({"secret": secret})
    yield json.dumps({"secret": secret}, ensure_ascii=False)
    yield json.dumps(json.dumps([secret]))
    yield urllib.parse.quote(secret)
    yield urllib.parse.quote(secret, safe="")
    yield urllib.parse.urlencode({"secret": secret})
    for before in (b"", b"u", b"user:"):
        yield base64.b64encode(before + data).decode()
        yield base64.urlsafe_b64encode(before + data).decode()
        yield base64.b64encode(before + data + b":after").decode()

def show(secret):
    for form in forms(secret):
        print("shown", form)
    half = len(secret) // 2
    sys.stdout.write("in " + secret[:half])
    sys.stdout.flush()
    sys.stdout.write(secret[half:] + " pieces\\n")
    for byte in ("bytes " + secret + "\\n").encode():
        sys.stdout.buffer.write(bytes([byte]))
    print("x" * (100_000 - half) + secret)
    print(secret, file=sys.stderr)
    logging.warning("logged %s", secret)
    warnings.warn("warned of " + secret)

def use(secret):
    send(secret, 1, "x" * 70 + secret, more=[secret], login=Login(secret))
    sys.stdout.write(secret[len(secret) // 2 :] + " after the activity\\n")
    send("x" * 75 + secret)
    try:
        fail(secret)
    except ValueError as error:
        print("caught", repr(error))
    autokitteh.set_value("kept", "a value")
    autokitteh.outcome({"secret": secret})

def main(event):
    for name in NAMES:
        show(os.environ[name])
        use(os.environ[name])
    return {"all": [os.environ[name] for name in NAMES], "form": list(forms(os.environ["QUOTED"]))}

def raises(event):
    everything = " and ".join(os.environ[name] for name in NAMES)
    try:
        raise KeyError(everything)
    except KeyError as error:
        raise RuntimeError("x" * 5000 + everything) from error
"""

SECRETS = {
    "TOKEN": "s3cr/t token+1?&=%7Ezz",
    "QUOTED": 'it\'s "quoted" \\ ünïcode ✓ 0815 end',
    "PEM": "-----BEGIN KEY-----\nMIIBVAIBADANBgkqhkiG9w0BAQ\n  Ej4CAQACQQC7 'x' \"y\"\n-----END KEY-----\n",
    "LONG": "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9." + "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGH" * 6 + ".sig",
}

#: A shorter piece tells nothing that could be used.
PIECE = 10


def pieces(secret: str) -> Iterator[str]:
    """What must not be shown: every stretch of a secret, and of what it becomes elsewhere, with nothing around it."""
    data = secret.encode()
    texts = [
        *secret.splitlines(), quote(secret), quote(secret, safe=""), quote_plus(secret), json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1], repr(secret)[1:-1], repr(data)[2:-1],
    ]  # fmt: skip
    for before in (b"", b"u", b"user:"):
        encoded = base64.b64encode(before + data).decode().rstrip("=")[(len(before) + 2) // 3 * 4 : -1]
        texts += [encoded, encoded.translate(str.maketrans("+/", "-_"))]
    for text in texts:
        for at in range(max(1, len(text) - PIECE + 1)):
            if len(text[at : at + PIECE]) == PIECE:
                yield text[at : at + PIECE]


ALL_PIECES = {piece for secret in SECRETS.values() for piece in pieces(secret)}


def check(where: str, text: str) -> None:
    """Fails if there is a secret, or a part of one, in a text."""
    found = {text[at : at + PIECE] for at in range(len(text))} & ALL_PIECES
    places = [text[max(0, text.find(piece) - 60) : text.find(piece) + 60] for piece in sorted(found)[:3]]
    assert not found, (where, len(found), places)


@pytest.fixture
def server(ak: Ak) -> Iterator[tuple[str, "subprocess.Popen[str]"]]:
    """A server with the project `demo`, which has all the secrets."""
    ak.write(program=PROGRAM)
    ak.environ["AK_DATA_DIR"] = "data"
    process = ak.start("up", "--addr", "127.0.0.1:0", environ={"AK_LOG__LEVEL": "debug"})
    url = url_of(process)
    assert ak("deploy", "program.py", "--name", "demo").code == 0
    for name, secret in SECRETS.items():
        assert ak("var", "set", "--secret", "--", "demo", name, secret).code == 0
    yield url, process
    if process.poll() is None:
        process.terminate()
        finish(process)


@pytest.mark.parametrize("mode", ["--durable", "--no-durable"])
def test_no_secret_is_shown_anywhere(ak: Ak, server: tuple[str, "subprocess.Popen[str]"], mode: str) -> None:
    """Logs, prints, results, errors and exports, for people and for programs, the raw API, and the server's own log."""
    url, process = server
    for entry in ("main", "raises"):
        watched = ak("session", "start", "demo", "--entry", f"program.py:{entry}", mode, "--watch")
        check(f"{entry} watched", watched.out + watched.err)
        assert "***" in watched.out + watched.err
    token = (ak.folder / "data" / "token").read_text().strip()
    with httpx.Client(
        base_url=f"{url}/api/v1", headers={"authorization": f"Bearer {token}"}, timeout=PATIENCE_S
    ) as http:
        sessions = http.get("/sessions").json()["items"]
        assert len(sessions) == 2
        for session in sessions:
            for path in ("", "/log", "/prints"):
                check(path, http.get(f"/sessions/{session['id']}{path}").text)
        for path in ("/sessions", "/events", "/vars?owner=demo", "/projects/demo", "/projects/demo/export"):
            check(path, http.get(path).text)
    for session in sessions:
        for command in ("log", "prints", "get"):
            for flags in ((), ("--no-timestamps",) if command == "prints" else ("-j",)):
                shown = ak("session", command, session["id"], *flags)
                assert shown.code == 0, shown.err
                check(command, shown.out)
                check(command, json.dumps(shown.out))
    for arguments in (
        ("session", "list", "-j"), ("event", "list", "-j"), ("var", "list", "demo"), ("project", "export", "demo"),
        ("deployment", "list", "-j"), ("secrets", "status", "-j"),
    ):  # fmt: skip
        check(" ".join(arguments), ak(*arguments).out)
    process.terminate()
    ended = finish(process)
    check("the server's log", ended.err + ended.out)
