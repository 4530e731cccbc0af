"""Events as GitHub posts them, for apps and for webhooks of one's own: https://docs.github.com/en/webhooks."""

from collections.abc import Sequence
from typing import Any

from autokitteh_server.integrations.asking import dig
from autokitteh_server.integrations.github.slash_commands import commands_in
from autokitteh_server.integrations.keys import delivery_key, event_type_of, key_of
from autokitteh_server.integrations.matching import Match, match_of, plain
from autokitteh_server.integrations.payload import FORM, form_of, json_object, read_object
from autokitteh_server.integrations.signatures import verify_hex
from autokitteh_server.integrations.webhook import Found, Parsed, Refused, Request, Secret, Webhook, fitting

_APP = "x-github-hook-installation-target-id"


def verify(request: Request, secrets: Sequence[Secret], now_s: float) -> tuple[Secret, ...]:
    """An HMAC over the body: with SHA-256, or SHA-1 where an older server sends nothing else."""
    status = 403 if _is_app(request) else 400
    signature, digest = request.header("x-hub-signature-256"), "sha256"
    if not signature:
        signature, digest = request.require("x-hub-signature", status), "sha1"
    return fitting(
        secrets,
        lambda secret: verify_hex(secret, request.body, signature, prefix=f"{digest}=", digest=digest),
        status,
    )


def whose(request: Request) -> Match:
    """The app's connections, or the one that has the address."""
    if _is_app(request):
        return match_of(app_id=request.header(_APP))
    return match_of(pat_key=request.path.partition("/")[2])


def parse(request: Request) -> Parsed:
    """The event, and one more for each slash command in it."""
    kind = event_type_of(request.require("x-github-event", 400).lower())
    payload = _payload(request)
    if _is_app(request) and kind == "ping":  # from the app's settings: it is nobody's
        return Parsed()
    match = _installation(request, payload) if _is_app(request) else (whose(request),)
    commands = commands_in(kind, payload)
    data = {**payload, "slash_commands": commands}
    key = delivery_key(request, "x-github-delivery")
    return Parsed(
        events=(
            Found(event_type=kind, data=data, key=key, match=match),
            *(
                Found(
                    event_type="slash_command",
                    data={"command": command, "actual_data": data, "actual_event_type": kind},
                    key=key_of(key, "command", index),
                    match=match,
                )
                for index, command in enumerate(commands)
            ),
        )
    )


def _payload(request: Request) -> dict[str, Any]:
    if request.is_of(FORM):
        return read_object(form_of(request).get("payload", ""))
    return json_object(request)


def _installation(request: Request, payload: dict[str, Any]) -> tuple[Match, ...]:
    installation = plain(dig(payload, "installation", "id"))
    if not installation:
        raise Refused(400, "it is for no installation of the app")
    app = plain(request.header(_APP))
    by_key = (Match(present=(f"install_key__{app}__{installation}",)),) if app else ()
    return (*by_key, match_of(app_id=app, install_id=installation))


def _is_app(request: Request) -> bool:
    return request.path == "webhook"


WEBHOOK = Webhook(
    paths=("webhook", "webhook/{id}"),
    verify=verify,
    parse=parse,
    whose=whose,
    secret_variables=("webhook_secret", "pat_secret"),
    server_secrets=("GITHUB_WEBHOOK_SECRET",),
    is_deaf=True,
    also_for=("githubcopilot",),
)
