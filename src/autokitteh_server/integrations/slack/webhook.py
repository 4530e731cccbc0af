"""Events, slash commands and interactions, as Slack posts them: https://docs.slack.dev/apis/events-api.

Slack sends again what was not answered within three seconds, with X-Slack-Retry-Num; the keys are the same.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from autokitteh_server.integrations.asking import dig, text_at
from autokitteh_server.integrations.keys import body_key, content_key, event_type_of, key_of
from autokitteh_server.integrations.matching import Match, match_of
from autokitteh_server.integrations.payload import JSON, form_of, json_object, read_json, read_object
from autokitteh_server.integrations.signatures import verify_versioned
from autokitteh_server.integrations.slack.acknowledgement import acknowledge
from autokitteh_server.integrations.slack.shape import command_data, event_data, interaction_data
from autokitteh_server.integrations.webhook import OK, Found, Parsed, Refused, Reply, Request, Secret, Webhook, fitting

_JSON_HEADERS: Final = {"content-type": JSON}


def verify(request: Request, secrets: Sequence[Secret], now_s: float) -> tuple[Secret, ...]:
    """`v0=` and an HMAC over the time and the body."""
    signature = request.require("x-slack-signature", 401)
    timestamp = request.require("x-slack-request-timestamp", 401)
    return fitting(
        secrets, lambda secret: verify_versioned(secret, request.body, signature, timestamp, now_s=now_s), 403
    )


def answer_handshake(request: Request, proof: Sequence[Secret]) -> Reply | None:
    """The challenge that Slack sends when somebody enters the address. It belongs to no connection yet."""
    if request.path != "event" or not request.is_of(JSON) or b"url_verification" not in request.body:
        return None
    envelope = read_json(request.body)
    if dig(envelope, "type") != "url_verification":
        return None
    return Reply(headers=_JSON_HEADERS, body=json.dumps({"challenge": text_at(envelope, "challenge")}).encode())


def parse(request: Request) -> Parsed:
    """One event, or none: an app does not hear what it has done itself."""
    match request.path:
        case "event":
            return Parsed(events=events_of(json_object(request)))
        case "command":
            return _parse_command(request)
        case _:
            payload = read_object(form_of(request).get("payload", ""))
            return Parsed(events=(interaction_of(payload, body_key(request)),), messages=acknowledge(payload))


def events_of(envelope: Mapping[str, Any]) -> tuple[Found, ...]:
    """What is in an envelope of the Events API, posted or from a socket. Raises Refused."""
    event = envelope.get("event")
    if not isinstance(event, dict):
        raise Refused(400, "there is no event in it")
    kind = event_type_of(event.get("type"))
    actor = _actor(event)
    seen_by = envelope.get("authorizations")
    grants = seen_by if isinstance(seen_by, list) else []
    if actor and any(dig(grant, "user_id") == actor for grant in grants):
        return ()
    return (
        Found(
            event_type=kind,
            data=event_data(event),
            key=_event_key(envelope, event),
            match=_installations(envelope, any(dig(grant, "is_enterprise_install") is True for grant in grants)),
            not_from=match_of(user_id=actor) if actor else None,
        ),
    )


def command_of(form: Mapping[str, Any], key: str) -> Found:
    """A slash command, posted or from a socket."""
    data = command_data(
        {name: str(value).lower() if isinstance(value, bool) else value for name, value in form.items()}
    )
    return Found(
        event_type="slash_command",
        data=data,
        key=_trigger_key(data, key),
        match=_matches(data, "api_app_id", "team_id", "enterprise_id", data["is_enterprise_install"] is True),
    )


def echo_of(command: Found) -> dict[str, str]:
    """What whoever gave a command sees at once, and nobody else: the command."""
    return {"response_type": "ephemeral", "text": f"{command.data['command']} {command.data['text']}".strip()}


def interaction_of(payload: Mapping[str, Any], key: str) -> Found:
    """A use of a button, a menu, a shortcut or a form, posted or from a socket.

    - `key`: for one without a trigger_id, which a form that was closed has not.
    """
    ids = {
        "app": payload.get("api_app_id"),
        "team": dig(payload, "team", "id") or dig(payload, "user", "team_id"),
        "enterprise": dig(payload, "enterprise", "id"),
    }
    return Found(
        event_type="interaction",
        data=interaction_data(payload),
        key=_trigger_key(payload, key),
        match=_matches(ids, "app", "team", "enterprise", payload.get("is_enterprise_install") is True),
    )


def _parse_command(request: Request) -> Parsed:
    form = form_of(request)
    if form.get("ssl_check"):  # Slack tries the address now and then
        return Parsed(reply=OK)
    found = command_of(form, body_key(request))
    return Parsed(events=(found,), reply=Reply(headers=_JSON_HEADERS, body=json.dumps(echo_of(found)).encode()))


def _actor(event: Mapping[str, Any]) -> str:
    """Whose doing it is. Who is in an event's `user` is another one where a message is changed or somebody invited."""
    places = (("inviter",), ("message", "user"), ("channel", "creator"), ("user",))
    return next((found for place in places if (found := text_at(event, *place))), "")


def _event_key(envelope: Mapping[str, Any], event: Mapping[str, Any]) -> str:
    if given := text_at(envelope, "event_id"):
        return key_of(given)
    return content_key([envelope.get("team_id"), event])


def _trigger_key(data: Mapping[str, Any], otherwise: str) -> str:
    return key_of(given) if (given := text_at(data, "trigger_id")) else otherwise


def _installations(envelope: Mapping[str, Any], everywhere: bool) -> tuple[Match, ...]:
    return _matches(envelope, "api_app_id", "team_id", "enterprise_id", everywhere)


def _matches(ids: Mapping[str, Any], app: str, team: str, enterprise: str, everywhere: bool) -> tuple[Match, ...]:
    """The app in the workspace; where it is installed for all of an enterprise's workspaces, the enterprise."""
    in_team = match_of(app_id=ids.get(app), team_id=ids.get(team))
    if not everywhere:
        return (in_team,)
    return in_team, match_of(app_id=ids.get(app), enterprise_id=ids.get(enterprise))


WEBHOOK = Webhook(
    paths=("event", "command", "interaction"),
    verify=verify,
    parse=parse,
    answer_handshake=answer_handshake,
    secret_variables=("private_signing_secret",),
    server_secrets=("SLACK_SIGNING_SECRET",),
)
