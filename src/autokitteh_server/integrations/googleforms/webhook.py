"""Google Forms publishes that there is something new in a form; what it is has to be asked for.

https://developers.google.com/workspace/forms/api/guides/push-notifications
"""

from typing import Final

from autokitteh_server.integrations._families.pubsub import AUDIENCE, EMAIL, read_message, verify_push
from autokitteh_server.integrations.keys import event_type_of
from autokitteh_server.integrations.matching import match_of
from autokitteh_server.integrations.oidc import KEYS_URL
from autokitteh_server.integrations.webhook import Look, Parsed, Refused, Request, Webhook

#: The variable that has the id of the watch, by what is watched.
_WATCHES: Final = {"schema": "FormSchemaWatchID", "responses": "FormResponsesWatchID"}

verify = verify_push


def parse(request: Request) -> Parsed:
    """No event yet: the connection has to look."""
    message = read_message(request)
    kind = event_type_of(message.attributes.get("eventtype", "")).lower()
    watch = message.attributes.get("watchid", "")
    if not watch:
        raise Refused(400, "it does not say which watch it is for")
    names = (_WATCHES[kind],) if kind in _WATCHES else tuple(_WATCHES.values())
    return Parsed(looks=(Look(match=tuple(match_of(**{name: watch}) for name in names)),))


WEBHOOK = Webhook(paths=("notif",), verify=verify, parse=parse, server_secrets=(EMAIL, AUDIENCE), keys_url=KEYS_URL)
