"""How Google's services say by a channel that something has changed: an empty request, unsigned, with a token of ours.

What has changed is to be asked for: https://developers.google.com/workspace/calendar/api/guides/push.
"""

from collections.abc import Callable, Sequence

from autokitteh_server.integrations.matching import Match, match_of
from autokitteh_server.integrations.signatures import verify_secret
from autokitteh_server.integrations.webhook import Look, Parsed, Request, Secret, Webhook, fitting

_ID = "x-goog-channel-id"


def channel_webhook(*, id_variable: str, token_variable: str) -> Webhook:
    """The webhook of a service whose connections keep a channel's id and token in these variables."""
    whose = _by_channel(id_variable)
    return Webhook(
        paths=("notif",),
        verify=_verify,
        parse=_parse(whose),
        whose=whose,
        secret_variables=(token_variable,),
        is_deaf=True,  # channels of connections that were removed go on until they expire
    )


def _by_channel(id_variable: str) -> Callable[[Request], Match]:
    def whose(request: Request) -> Match:
        return match_of(**{id_variable: request.header(_ID)})

    return whose


def _verify(request: Request, secrets: Sequence[Secret], now_s: float) -> tuple[Secret, ...]:
    request.require(_ID, 401)
    token = request.require("x-goog-channel-token", 401)
    return fitting(secrets, lambda secret: verify_secret(secret, token), 403)


def _parse(whose: Callable[[Request], Match]) -> Callable[[Request], Parsed]:
    def parse(request: Request) -> Parsed:
        state = request.require("x-goog-resource-state", 400)
        if state == "sync":  # the channel is open
            return Parsed()
        return Parsed(looks=(Look(match=(whose(request),)),))

    return parse
