"""Messages, and what becomes of them, as Twilio posts them: https://www.twilio.com/docs/usage/webhooks."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from autokitteh_server.integrations.keys import body_key, key_of
from autokitteh_server.integrations.matching import match_of
from autokitteh_server.integrations.payload import FORM, JSON, read_form, read_object
from autokitteh_server.integrations.signatures import verify_twilio as verify_one
from autokitteh_server.integrations.snake import snake
from autokitteh_server.integrations.webhook import (
    MAX_UNSIGNED_BYTES,
    Found,
    Parsed,
    Refused,
    Reply,
    Request,
    Secret,
    Webhook,
    fitting,
)

#: TwiML that has nothing to say: without it Twilio reports an error.
_REPLY: Final = Reply(headers={"content-type": "text/xml"}, body=b"<Response/>")


def verify(request: Request, secrets: Sequence[Secret], now_s: float) -> tuple[Secret, ...]:
    """An HMAC over the address and the form; there is no time in it."""
    signature = request.require("x-twilio-signature", 401)
    form = None if request.is_of(JSON) else _signed_form(request)
    return fitting(
        secrets, lambda secret: verify_one(secret, request.url, signature, form=form, body=request.body), 403
    )


def parse(request: Request) -> Parsed:
    """One event. Names are as code reads them, values are texts."""
    fields = _fields(request)
    message = fields.get("MessageSid") or fields.get("SmsSid")
    state = fields.get("MessageStatus") or fields.get("SmsStatus") or ""
    found = Found(
        event_type="message",
        data={snake(name): value for name, value in fields.items()},
        key=key_of(message, state) if message else body_key(request),
        match=(match_of(AccountSID=fields.get("AccountSid")),),
    )
    return Parsed(events=(found,), reply=_REPLY)


def _fields(request: Request) -> Mapping[str, Any]:
    if request.is_of(JSON):
        return read_object(request.body)
    if request.is_of(FORM):
        return _first(read_form(request.body))
    if request.method == "GET":
        return _first(read_form(request.url.partition("?")[2].partition("#")[0]))
    raise Refused(400, f"the content type is neither {FORM} nor {JSON}")


def _first(form: Mapping[str, list[str]]) -> dict[str, str]:
    return {name: values[0] for name, values in form.items()}


def _signed_form(request: Request) -> dict[str, str]:
    """The form as it is signed: a name that is there several times, with each of its values in order."""
    if len(request.body) > MAX_UNSIGNED_BYTES:  # it is read before anybody knows from whom it is
        raise Refused(400, "the form is too long")
    form = read_form(request.body) if request.is_of(FORM) else {}
    return {name: name.join(sorted(set(values))) for name, values in form.items()}


WEBHOOK = Webhook(
    paths=("message",),
    verify=verify,
    parse=parse,
    # The password of a connection with an API key signs nothing: that one needs the account's token, too.
    secret_variables=("auth_token", "Password"),
)
