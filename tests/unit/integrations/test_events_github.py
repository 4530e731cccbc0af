"""What GitHub posts, for apps and for webhooks of one's own; slash commands."""

import json
from typing import Any

import pytest

from autokitteh_server.integrations.github.slash_commands import MAX_COMMANDS, read_commands
from autokitteh_server.integrations.github.spec import SPEC
from autokitteh_server.integrations.github.webhook import WEBHOOK
from autokitteh_server.integrations.samples import load_sample, sample_types
from autokitteh_server.integrations.webhook import Request, Secret, recipients
from deliveries import FORM, form, hmac_hex, own, passes, raw, refusal, request, take, types_and_data

SECRET = "It's a Secret to Everybody"
SERVER = Secret(value=SECRET, name="GITHUB_WEBHOOK_SECRET")
PAT = own(SECRET, "pat_secret")
COMMENT: dict[str, Any] = load_sample("github", "issue_comment")
PAYLOAD = {name: value for name, value in COMMENT.items() if name != "slash_commands"}


def signed(
    body: object, *, path: str = "webhook", kind: str = "issue_comment", secret: str = SECRET, **more: str
) -> Request:
    headers = {
        "x-github-event": kind,
        "x-github-delivery": "72d3162e-cc78-11e3-81ab-4c9367dc0958",
        "x-github-hook-installation-target-id": "4242",
        "x-hub-signature-256": "sha256=" + hmac_hex(secret, raw(body)),
    }
    return request(path, body, {**headers, **more}, content_type=more.get("content_type", "application/json"))


def test_a_comment_with_a_command_is_two_events() -> None:
    """The comment with the commands in it, and the command with the comment."""
    received = take(WEBHOOK, signed(PAYLOAD), SERVER)

    first, second = types_and_data(received)
    assert first == ("issue_comment", COMMENT)
    assert second == ("slash_command", load_sample("github", "slash_command"))
    assert passes("data.comment.body.startsWith('/assign') && (data.action in ['created','edited'])", *first)
    assert passes("data.command.name == 'assign'", *second)


def test_keys_are_the_deliverys() -> None:
    """A repeat has the same ones; the events of one delivery have different ones."""
    keys = [each.key for each in take(WEBHOOK, signed(PAYLOAD), SERVER).events]

    assert keys == [each.key for each in take(WEBHOOK, signed(PAYLOAD), SERVER).events]
    assert keys[0] == "72d3162e-cc78-11e3-81ab-4c9367dc0958"
    assert len(set(keys)) == 2


def test_a_form() -> None:
    """GitHub's other content type: the whole form is signed."""
    body = form(payload=json.dumps(PAYLOAD))

    received = take(WEBHOOK, signed(body, content_type=FORM, **{"content-type": FORM}), SERVER)

    assert received.events[0].data == COMMENT


def test_who_gets_an_apps_event() -> None:
    """Connections of the installation, in the older spelling and in the newer one."""
    call = signed(PAYLOAD)
    received = take(WEBHOOK, call, SERVER)
    connections = {
        "con_1": {"install_key__4242__98765": "acme"},
        "con_2": {"app_id": "4242", "install_id": "98765"},
        "con_3": {"app_id": "4242", "install_id": "1"},
        "con_4": {"app_id": "4242", "install_id": "98765", "webhook_secret": "its own"},
        "con_5": {"app_id": "", "install_id": ""},
    }

    assert recipients(WEBHOOK, call, received.events[0], received.proof, connections) == ("con_1", "con_2")


def test_who_gets_the_event_of_an_own_webhook() -> None:
    """The connection that has the address."""
    call = signed(PAYLOAD, path="webhook/k3y")
    received = take(WEBHOOK, call, PAT)
    connections = {"con_1": {"pat_key": "k3y", "pat_secret": SECRET}, "con_2": {"pat_key": "other"}}

    assert WEBHOOK.whose(call).holds(connections["con_1"])  # type: ignore[union-attr]
    assert recipients(WEBHOOK, call, received.events[0], received.proof, connections) == ("con_1",)


def test_older_servers_sign_with_sha1() -> None:
    """Only where there is nothing better: a wrong better one is not made good by it."""
    old = {"x-hub-signature-256": "", "x-hub-signature": "sha1=" + hmac_hex(SECRET, raw(PAYLOAD), "sha1")}

    assert len(take(WEBHOOK, signed(PAYLOAD, **old), SERVER).events) == 2
    assert refusal(WEBHOOK, signed(PAYLOAD, **{**old, "x-hub-signature-256": "sha256=0"}), SERVER) == 403


def test_the_vector_of_githubs_documentation() -> None:
    """It is signed well, and is no JSON."""
    body = b"Hello, World!"
    signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17"

    assert refusal(WEBHOOK, signed(body, **{"x-hub-signature-256": signature}), SERVER) == 400


def test_unknown_types_pass_through() -> None:
    """Whatever GitHub comes up with."""
    payload = {"action": "made", "installation": {"id": 98765}}

    assert types_and_data(take(WEBHOOK, signed(payload, kind="brand_new"), SERVER)) == [
        ("brand_new", {**payload, "slash_commands": []})
    ]


def test_nobody_is_told_what_is_for_nobody() -> None:
    """An unknown address gets a 200 and nothing else; so does the ping of an app."""
    assert take(WEBHOOK, signed(PAYLOAD, path="webhook/unknown")).events == ()
    assert take(WEBHOOK, signed(PAYLOAD, path="webhook/unknown"), SERVER).events == ()
    assert take(WEBHOOK, signed({"zen": "Speak like a human.", "hook_id": 1}, kind="ping"), SERVER).events == ()


@pytest.mark.parametrize(
    ("call", "status"),
    [
        (signed(PAYLOAD, secret="wrong"), 403),
        (signed(PAYLOAD, path="webhook/k3y", secret="wrong"), 400),
        (signed(PAYLOAD, **{"x-hub-signature-256": ""}), 403),
        (signed(PAYLOAD, path="webhook/k3y", **{"x-hub-signature-256": ""}), 400),
        (signed(PAYLOAD, **{"x-github-event": ""}), 400),
        (signed({"action": "created"}), 400),
        (signed([PAYLOAD]), 400),
        (signed(PAYLOAD, **{"content-type": "text/plain"}), 400),
        (signed(b"[" * 100_000), 400),
    ],
)
def test_what_is_refused(call: Request, status: int) -> None:
    """With the status of the sheet."""
    assert refusal(WEBHOOK, call, SERVER, PAT) == status


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("/assign bob", ["assign"]),
        ("hello\r\n/a 1 2\r\n/b", ["a", "b"]),
        (" /indented", []),
        ("see /etc/passwd", []),
        ("/", []),
        ("/ bare", []),
        ("```\n/code\n```\n/after", ["after"]),
        ("~~~\n/code\n```\n/still\n~~~\n/after", ["after"]),
        ("````\n```\n/code\n````\n/after", ["after"]),
        ("```py\n/code", []),
        ("", []),
        ("\n".join(f"/c{index}" for index in range(40)), [f"c{index}" for index in range(MAX_COMMANDS)]),
    ],
)
def test_slash_commands(text: str, names: list[str]) -> None:
    """At the beginning of a line, outside of code, at most sixteen."""
    assert [each["name"] for each in read_commands(text)] == names


def test_a_command_in_full() -> None:
    """Its name, its words, its line."""
    assert read_commands("/deploy  prod  now \n") == [
        {"name": "deploy", "args": ["prod", "now"], "raw": "/deploy  prod  now"}
    ]


@pytest.mark.parametrize("name", [each for each in sample_types("github") if each != "slash_command"])
def test_samples_are_what_comes_out(name: str) -> None:
    """A sample that comes in is what a handler gets."""
    sample = load_sample("github", name)
    payload = {key: value for key, value in sample.items() if key != "slash_commands"}

    assert types_and_data(take(WEBHOOK, signed(payload, kind=name), SERVER))[0] == (name, sample)


def test_there_is_a_sample_of_each_type() -> None:
    """So that each can be tried."""
    assert {each.name for each in SPEC.events} <= set(sample_types("github"))
