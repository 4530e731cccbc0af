"""Updates of a bot: Telegram is told where to post them, or else is asked for them.

It does only one of both: https://core.telegram.org/bots/api#getting-updates. What nobody has fetched it keeps for a
day. So even the first poll gives what there is: Telegram itself knows where to begin.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from autokitteh_server.integrations.asking import ask_object, dig, list_at, not_its_api, text_at
from autokitteh_server.integrations.errors import Intent, ServiceError
from autokitteh_server.integrations.feed import Feed, Line, News, Registration
from autokitteh_server.integrations.telegram.webhook import UPDATES, update_of
from autokitteh_server.integrations.webhook import Found, Refused

_OFFSET: Final = "UpdatesOffset"  # what is below it is known; Telegram has yet to hear that
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{1,256}")
_PAGE: Final = 100  # the most that Telegram gives at a time
_WAITS_S: Final = 5  # while there is nothing
_PATIENCE_S: Final = _WAITS_S + 5.0
_CONFLICT: Final = 409


def prepare(line: Line) -> Mapping[str, str]:
    """A secret that Telegram is to send along, and by what its calls are known."""
    known = {} if _SECRET.fullmatch(line.variables.get("SecretToken", "")) else {"SecretToken": line.new_secret()}
    return known if line.variables.get("BotID") == _bot(line) else {**known, "BotID": _bot(line)}


def register(line: Line) -> Registration:
    """Tell Telegram the bot's address, and the secret."""
    secret, bot_id = line.variables["SecretToken"], _bot(line)
    url = f"{line.public_url}/telegram/webhook/{bot_id}"
    _call(line, "setWebhook", url=url, secret_token=secret, allowed_updates=UPDATES)
    # What was polled and not confirmed is posted again, and has the same key.
    return Registration(variables={"WebhookURL": url, _OFFSET: ""})


def poll(line: Line, polled_at: int) -> News:
    """What there is, or comes within a few seconds. That it came is confirmed by the next poll, once it is stored."""
    offset = line.variables.get(_OFFSET, "")
    was_told = bool(line.variables.get("WebhookURL"))
    if was_told:
        _call(line, "deleteWebhook", drop_pending_updates=False)
    updates = _updates(line, offset)
    numbers = [_number(update) for update in updates]
    found = (_found(update, _bot(line)) for update in updates)
    # Once all is confirmed there is no offset any more: after a quiet week, Telegram goes on from any number, and
    # would take an old offset that is higher for a confirmation.
    variables = {_OFFSET: str(max(numbers) + 1) if numbers else ""}
    if was_told:
        variables["WebhookURL"] = ""
    events = tuple(each for each in found if each is not None)
    return News(events=events, variables=variables, has_more=len(updates) >= _PAGE)


def _updates(line: Line, offset: str, *, may_delete: bool = True) -> list[Any]:
    options = {"offset": int(offset)} if offset.isdecimal() else {}
    options |= {"limit": _PAGE, "timeout": _WAITS_S}
    try:
        answer = _call(line, "getUpdates", timeout_s=_PATIENCE_S, allowed_updates=UPDATES, **options)
        return list_at(answer, "result")
    except ServiceError as error:
        if error.status != _CONFLICT:
            raise
    # Either it is told to post them, which others may have done, or somebody else asks.
    if not may_delete or not text_at(_call(line, "getWebhookInfo"), "result", "url"):
        raise _taken()
    _call(line, "deleteWebhook", drop_pending_updates=False)
    return _updates(line, offset, may_delete=False)


def _found(update: Any, bot_id: str) -> Found | None:
    try:
        return update_of(update, bot_id)
    except Refused:
        return None  # or it would be in the way of all that come after it


def _number(update: Any) -> int:
    number = dig(update, "update_id")
    if isinstance(number, bool) or not isinstance(number, int):
        raise not_its_api()
    return number


def _taken() -> ServiceError:
    return ServiceError(
        "gives the updates to somebody else, who asks with the same token",
        "Stop the other program, or make a bot of its own for this connection.",
        intent=Intent.RETRY,
        status=_CONFLICT,
    )


def _bot(line: Line) -> str:
    return line.variables["BotToken"].partition(":")[0]


def _call(line: Line, method: str, *, timeout_s: float | None = None, **parameters: object) -> Mapping[str, Any]:
    url = f"https://api.telegram.org/bot{line.variables['BotToken']}/{method}"
    return ask_object(line.http, "POST", url, json=parameters, timeout_s=timeout_s)


def _why_not(variables: Mapping[str, str]) -> str:
    return "" if variables.get("BotToken") else "it has no token of a bot: run `ak connection init`"


FEED = Feed(
    prepare=prepare,
    register=register,
    poll=poll,
    keeps=(_OFFSET,),
    about=("BotToken",),
    poll_every_s=0.0,
    why_not=_why_not,
)
