"""Changes of mailboxes: Gmail publishes them to a topic of Pub/Sub, or is asked for its history.

https://developers.google.com/workspace/gmail/api/guides/push
"""

from collections.abc import Mapping
from typing import Any, Final

from autokitteh_server.core.timestamps import format_time
from autokitteh_server.integrations._families.google_feeds import (
    ask_google,
    is_service_account,
    items_of,
    number_in,
    read_answer,
    renewal,
    send,
    text_in,
)
from autokitteh_server.integrations.asking import not_its_api, text_at
from autokitteh_server.integrations.feed import Feed, Line, News, Registration
from autokitteh_server.integrations.gmail.shape import mailbox_change

TOPIC: Final = "GMAIL_PUBSUB_TOPIC"

_ME: Final = "https://gmail.googleapis.com/gmail/v1/users/me"
_HISTORY: Final = "GmailHistoryID"
_SCOPES: Final = (
    "https://mail.google.com/",
    "https://www.googleapis.com/auth/gmail.modify",
    "https://www.googleapis.com/auth/gmail.readonly",
    "https://www.googleapis.com/auth/gmail.metadata",
)
_MAX_PAGES: Final = 20


def register(line: Line) -> Registration:
    """Watch the mailbox. Again for the same mailbox: its watch goes on."""
    answer = ask_google(line, "POST", f"{_ME}/watch", json={"topicName": line.environ[TOPIC]})
    expires_ms = number_in(answer, "expiration")
    # What came between the last poll and this is not lost: Gmail publishes once as soon as it is told.
    variables = {_HISTORY: str(_history_id(answer)), "GmailWatchExpiration": str(expires_ms)}
    if not line.variables.get("user_email"):  # without it, what is published is nobody's
        variables["user_email"] = text_in(_profile(line), "emailAddress")
    return Registration(variables=variables, renew_at=renewal(line.now, expires_ms * 1000))


def poll(line: Line, polled_at: int) -> News:
    """At most one event, however much is new: it says how far the history has come, and code reads it."""
    since = line.variables.get(_HISTORY, "")
    if not since:
        return News(variables={_HISTORY: str(_history_id(_profile(line)))})
    params = {"startHistoryId": since, "maxResults": "1", "fields": "historyId,nextPageToken,history(id)"}
    for _ in range(_MAX_PAGES):
        answer = send(line, "GET", f"{_ME}/history", params=params)
        if answer.status == 404:  # so old that Gmail has forgotten it: after a week, sometimes after hours
            profile = _profile(line)
            return _changed(line, _history_id(profile), text_at(profile, "emailAddress"))
        found = read_answer(answer)
        if items_of(found, "history"):
            return _changed(line, _history_id(found))
        token = text_at(found, "nextPageToken")
        if not token:
            return News(variables={_HISTORY: str(_history_id(found))})
        params["pageToken"] = token
    raise not_its_api()


def why_not(variables: Mapping[str, str]) -> str:
    """Service accounts have no mailbox to be watched, and not every consent is about mail."""
    if is_service_account(variables):
        return "a service account has no mailbox: connect as a user, with the auth type oauth"
    scopes = variables.get("user_scope", "").split()
    if scopes and not any(scope in _SCOPES for scope in scopes):
        return "the user has not agreed that mail is read: connect anew, and agree to all that is asked for"
    return ""


def _changed(line: Line, history_id: int, email: str = "") -> News:
    mailbox = line.variables.get("user_email") or email or text_in(_profile(line), "emailAddress")
    event = mailbox_change(mailbox, history_id, format_time(line.now))
    return News(events=(event,), variables={_HISTORY: str(history_id)})


def _profile(line: Line) -> Mapping[str, Any]:
    return ask_google(line, "GET", f"{_ME}/profile")


def _history_id(answer: Mapping[str, Any]) -> int:
    return number_in(answer, "historyId")


FEED = Feed(
    register=register,
    poll=poll,
    needs=(TOPIC,),
    keeps=(_HISTORY,),
    about=("user_email",),
    # Pub/Sub repeats for a week what was not taken, and each change tells of all that were before it. Asking besides
    # would find no more, but would tell of nearly each change twice: a history goes on between push and poll.
    poll_anyway_s=None,
    why_not=why_not,
)
