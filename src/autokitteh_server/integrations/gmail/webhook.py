"""Changes of mailboxes, as Gmail publishes them: https://developers.google.com/workspace/gmail/api/guides/push."""

from autokitteh_server.integrations._families.pubsub import AUDIENCE, EMAIL, read_message, verify_push
from autokitteh_server.integrations.asking import text_at
from autokitteh_server.integrations.gmail.shape import mailbox_change
from autokitteh_server.integrations.oidc import KEYS_URL
from autokitteh_server.integrations.webhook import Parsed, Refused, Request, Webhook

verify = verify_push


def parse(request: Request) -> Parsed:
    """One event."""
    message = read_message(request)
    email, history = text_at(message.data, "emailAddress"), text_at(message.data, "historyId")
    if not email or not history.isascii() or not history.isdigit() or len(history) > 19:
        raise Refused(400, "it does not say which mailbox has changed")
    return Parsed(events=(mailbox_change(email, int(history), message.published),))


WEBHOOK = Webhook(paths=("notif",), verify=verify, parse=parse, server_secrets=(EMAIL, AUDIENCE), keys_url=KEYS_URL)
