"""What Twilio posts: forms with odd names, signed with the address."""

import base64
import hashlib
import hmac
from collections.abc import Mapping
from urllib.parse import urlencode

import pytest

from autokitteh_server.integrations.samples import load_sample
from autokitteh_server.integrations.twilio.webhook import WEBHOOK
from autokitteh_server.integrations.webhook import Request, recipients
from deliveries import FORM, own, passes, refusal, request, take, types_and_data

TOKEN = "12345"
OWN = own(TOKEN, "Password")
URL = "https://ak.example.com/twilio/message"
MESSAGE = {
    "MessageSid": "SM01", "SmsMessageSid": "SM01", "SmsSid": "SM01", "SmsStatus": "received", "AccountSid": "AC01",
    "From": "whatsapp:+15550100", "To": "whatsapp:+15550199", "Body": "apple 100g", "NumMedia": "0",
    "NumSegments": "1", "ProfileName": "Ann", "WaId": "15550100", "ApiVersion": "2010-04-01",
}  # fmt: skip


def signature(url: str, fields: Mapping[str, str], token: str = TOKEN) -> str:
    text = url + "".join(name + value for name, value in sorted(fields.items()))
    return base64.b64encode(hmac.new(token.encode(), text.encode(), hashlib.sha1).digest()).decode()


def signed(fields: Mapping[str, str], token: str = TOKEN, **headers: str) -> Request:
    given = {"x-twilio-signature": signature(URL, fields, token), **headers}
    return request(
        "message", urlencode(fields).encode(), given, content_type=headers.get("content-type", FORM), url=URL
    )


def test_a_message() -> None:
    """The form, with names as code reads them, and an answer without anything to say."""
    call = signed(MESSAGE)
    received = take(WEBHOOK, call, OWN)

    assert types_and_data(received) == [("message", load_sample("twilio", "message"))]
    assert (received.reply.status, received.reply.headers["content-type"]) == (200, "text/xml")
    assert received.reply.body == b"<Response/>"
    assert passes("data.body.startsWith('apple')", "message", received.events[0].data)
    connections = {
        "con_1": {"AccountSID": "AC01", "Password": TOKEN},
        "con_2": {"AccountSID": "AC02", "Password": TOKEN},
        "con_3": {"AccountSID": "AC01", "Password": "of an API key"},
        "con_4": {"AccountSID": "AC01"},
    }
    assert recipients(WEBHOOK, call, received.events[0], received.proof, connections) == ("con_1",)


def test_pictures() -> None:
    """Numbers in names are words."""
    fields = {**MESSAGE, "NumMedia": "1", "MediaUrl0": "https://api.twilio.com/m", "MediaContentType0": "image/png"}

    data = take(WEBHOOK, signed(fields), OWN).events[0].data

    assert (data["media_url_0"], data["media_content_type_0"]) == ("https://api.twilio.com/m", "image/png")


def test_keys() -> None:
    """Repeats have the same one; what becomes of a message has one for each state."""
    first = take(WEBHOOK, signed(MESSAGE), OWN).events[0].key

    assert take(WEBHOOK, signed(MESSAGE), OWN).events[0].key == first
    states = [{**MESSAGE, "MessageStatus": state} for state in ("sent", "delivered")]
    assert len({take(WEBHOOK, signed(each), OWN).events[0].key for each in states} | {first}) == 3


def test_a_name_that_is_there_twice() -> None:
    """It is signed with both its values, and the first one counts."""
    text = URL + "AccountSidAC01" + "TagaTagb"
    given = base64.b64encode(hmac.new(TOKEN.encode(), text.encode(), hashlib.sha1).digest()).decode()
    call = request("message", b"AccountSid=AC01&Tag=b&Tag=a", {"x-twilio-signature": given}, content_type=FORM, url=URL)

    assert take(WEBHOOK, call, OWN).events[0].data == {"account_sid": "AC01", "tag": "b"}


def test_by_get() -> None:
    """All of it is in the address."""
    url = f"{URL}?{urlencode(MESSAGE)}"
    call = request("message", b"", {"x-twilio-signature": signature(url, {})}, content_type="", method="GET", url=url)

    assert take(WEBHOOK, call, OWN).events[0].data["from"] == "whatsapp:+15550100"


def test_json() -> None:
    """The body's digest is in the address, which is signed."""
    body = b'{"MessageSid":"SM01","AccountSid":"AC01"}'
    url = f"{URL}?bodySHA256={hashlib.sha256(body).hexdigest()}"
    headers = {"x-twilio-signature": signature(url, {})}

    assert take(WEBHOOK, request("message", body, headers, url=url), OWN).events[0].data["account_sid"] == "AC01"
    assert refusal(WEBHOOK, request("message", body + b" ", headers, url=url), OWN) == 403


@pytest.mark.parametrize(
    ("call", "status"),
    [
        (request("message", b"a=b", content_type=FORM), 401),
        (signed(MESSAGE, "wrong"), 403),
        (signed({}, **{"content-type": "text/plain"}), 400),
    ],
)
def test_what_is_refused(call: Request, status: int) -> None:
    """Earlier systems believed everybody."""
    assert refusal(WEBHOOK, call, OWN) == status
