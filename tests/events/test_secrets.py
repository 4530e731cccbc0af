"""What a session shows has none of its secrets in it, whatever its code does with them."""

from pathlib import Path

import pytest

from autokitteh_server.operations import sessions, variables
from autokitteh_server.secretbox.keys import render_key
from served import PROJECT, listening, serving

TOKEN = "s3cr/t token+1"

PROGRAM = """
import base64, json, os, urllib.parse
import autokitteh

@autokitteh.activity
def send(token, text):
    return {"sent": token}

def main(event):
    token = os.getenv("TOKEN")
    print("plain", token)
    print("url", urllib.parse.quote(token), urllib.parse.quote_plus(token))
    print("base64", base64.b64encode(token.encode()).decode())
    print("basic", base64.b64encode(("user:" + token).encode()).decode())
    print("json", json.dumps({"token": token}))
    send(token, text=repr(token))
    autokitteh.set_value("token", token)
    autokitteh.next_event(autokitteh.subscribe("bell"))
    print("awake", token)
    raise ValueError("bad token " + token)

def parent(event):
    token = os.getenv("TOKEN")
    child = autokitteh.start("program.py:child", memo={"why": "with " + token})
    value = autokitteh.next_signal(child).payload["value"]
    return {"same": value["token"] == token, "token": value["token"]}

def child(event):
    return {"token": os.getenv("TOKEN"), "other": 1}
"""


@pytest.mark.parametrize("durable", [True, False], ids=["durable", "plain"])
def test_no_secret_in_journal_or_error(tmp_path: Path, durable: bool) -> None:
    """Prints, previews of arguments and results, notes and the error have `***`, also after the session has waited."""
    with serving(tmp_path) as served, listening(served) as client:
        found = served.deploy(PROGRAM, served.webhook(is_durable=durable), served.webhook("bell", call=""))
        variables.set_value(served.services, PROJECT, "TOKEN", TOKEN, is_secret=True)
        client.post(f"/webhooks/{found['webhook'].webhook_slug}")
        (session,) = served.sessions()
        served.wait_until(lambda: served.load(session.id).session.waits is not None)
        client.post(f"/webhooks/{found['bell'].webhook_slug}")
        result = served.wait(session.id)
    assert result.prints[:2] == ["plain ***", "url *** ***"]
    assert result.prints[4:] == ['json {"token": "***"}', "awake ***"]
    assert "ValueError: bad token ***" in result.error
    shown = "".join(record.args + record.result + record.error for record in result.records) + result.error
    for piece in ("s3cr", "token+1", "czNjci90", "MzY3IvdCB0b"):
        assert piece not in shown, piece


def test_no_secret_in_result_or_memo(tmp_path: Path) -> None:
    """They are for people; a parent gets what its child has returned as it was."""
    with serving(tmp_path) as served:
        served.deploy(PROGRAM, served.webhook())
        variables.set_value(served.services, PROJECT, "TOKEN", TOKEN, is_secret=True)
        parent = sessions.start(served.services, PROJECT, "program.py:parent", data={}, memo={}, durable=True)
        assert served.wait(parent.id).session.result == {"same": True, "token": "***"}
        (child,) = [each for each in served.sessions() if each.parent_id]
        assert (child.result, child.memo) == ({"token": "***", "other": 1}, {"why": "with ***"})


def test_a_session_waits_for_a_secret_that_can_be_opened(tmp_path: Path) -> None:
    """Its log says why it does not begin, once; when the var is set again it goes on at once."""
    old, new = (render_key(letter * 32) for letter in (b"o", b"n"))
    with serving(tmp_path, secret_key=old) as served:
        served.deploy(PROGRAM)
        variables.set_value(served.services, PROJECT, "TOKEN", TOKEN, is_secret=True)
    with serving(tmp_path, secret_key=new) as served:
        session = sessions.start(served.services, PROJECT, "program.py:child", data={}, memo={}, durable=True)
        served.wait_until(lambda: bool(served.load(session.id).warnings))
        served.services.scheduler.retry()
        (warning,) = served.load(session.id).warnings
        assert "cannot go on now" in warning and "the value of TOKEN" in warning and "set the value again" in warning
        variables.set_value(served.services, PROJECT, "TOKEN", TOKEN, is_secret=True)
        result = served.wait(session.id)
    assert (result.state, result.session.result, len(result.warnings)) == ("COMPLETED", {"token": "***", "other": 1}, 1)
