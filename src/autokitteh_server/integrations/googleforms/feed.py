"""Responses to a form, and changes of it: Google Forms publishes to a topic of Pub/Sub that there are some, and is
asked which.

https://developers.google.com/workspace/forms/api/guides/push-notifications
"""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from autokitteh_server.core.errors import InvalidArgument
from autokitteh_server.core.timestamps import format_time, parse_time
from autokitteh_server.integrations._families.google_feeds import (
    ask_google,
    items_of,
    pages,
    read_answer,
    renewal,
    send,
    text_in,
)
from autokitteh_server.integrations.asking import not_its_api, text_at, verify_answer
from autokitteh_server.integrations.errors import ServiceError
from autokitteh_server.integrations.feed import Feed, Line, News, Registration
from autokitteh_server.integrations.googleforms.shape import response_event, schema_event
from autokitteh_server.integrations.webhook import Found

TOPIC: Final = "GOOGLE_FORMS_PUBSUB_TOPIC"

_API: Final = "https://forms.googleapis.com/v1/forms"
_WATCHES: Final = {"SCHEMA": "FormSchemaWatchID", "RESPONSES": "FormResponsesWatchID"}
_REVISION: Final = "FormRevisionID"

#: The form, when its newest response was submitted, and the ids of all that were submitted at that very moment.
_SEEN: Final = "FormResponsesSeen"

_PAGE: Final = "250"
_MAX_PAGES: Final = 100
_NEVER: Final = "1970-01-01T00:00:00.000000000Z"


def register(line: Line) -> Registration:
    """Watch the form and its responses."""
    variables, ends = {}, []
    for kind, name in _WATCHES.items():
        watch = _renewed(line, line.variables.get(name, "")) or _new(line, kind)
        variables[name] = text_in(watch, "id")
        ends.append(text_in(watch, "expireTime"))
    first = min(ends, key=_moment)
    variables["FormWatchesExpiration"] = first
    return Registration(variables=variables, renew_at=renewal(line.now, _moment(first)))


def poll(line: Line, polled_at: int) -> News:
    """An event for each response that was submitted, and one if the form is another than it was."""
    form_id = line.variables["FormID"]
    known = line.variables.get(_SEEN, "").split()
    if len(known) < 2 or known[0] != form_id or not line.variables.get(_REVISION):
        return _begin(line)
    seen_at, seen = known[1], known[2:]
    asked = {"pageSize": _PAGE, "filter": f"timestamp >= {seen_at}"}
    found = [each for each in _responses(line, asked) if _submitted(each) >= seen_at]
    new = [each for each in found if _submitted(each) > seen_at or text_in(each, "responseId") not in seen]
    variables = {_SEEN: _seen(line, found, seen_at)}
    form, changed = _changed(line)
    published = format_time(line.now)
    events: list[Found] = []
    if changed:
        variables[_REVISION] = text_in(form, "revisionId")
        events.append(schema_event(form, published))
    events += [response_event(form_id, each, published) for each in sorted(new, key=_submitted)]
    return News(events=tuple(events), variables=variables)


def why_not(variables: Mapping[str, str]) -> str:
    """There may be many forms."""
    if variables.get("FormID"):
        return ""
    return "it does not say which form: set the field form_id, which is in the form's address"


def _renewed(line: Line, watch_id: str) -> Mapping[str, Any] | None:
    """A watch that we have, for another week; None if it has ended, or publishes to what is not our topic any more."""
    if not watch_id:
        return None
    place = f"{_form(line)}/watches/{quote(watch_id, safe='')}"
    answer = send(line, "POST", f"{place}:renew", json={})
    if answer.status in (400, 404):
        return None
    watch = read_answer(answer)
    if _topic(watch) == line.environ[TOPIC]:
        return watch
    ask_google(line, "DELETE", place)  # there can be one only
    return None


def _new(line: Line, kind: str) -> Mapping[str, Any]:
    topic = line.environ[TOPIC]
    asked = {"watch": {"target": {"topic": {"topicName": topic}}, "eventType": kind}}
    answer = send(line, "POST", f"{_form(line)}/watches", json=asked)
    if answer.status not in (400, 409):
        return read_answer(answer)
    # Google takes one for each kind, form and user: there is that of another connection, or one whose id was lost.
    there = items_of(ask_google(line, "GET", f"{_form(line)}/watches"), "watches")
    same = [each for each in there if text_at(each, "eventType") == kind]
    if any(_topic(each) != topic for each in same):
        # Another server's, perhaps. To take it away would be answered in kind.
        message = "has a watch of this form already, which publishes to another topic"
        raise ServiceError(message, f"Set the server's {TOPIC} to that topic, or wait a week: it ends by itself.")
    watch = _renewed(line, text_in(same[0], "id")) if same else None
    if watch is None:
        verify_answer(answer)
        raise not_its_api()
    return watch


def _topic(watch: Mapping[str, Any]) -> str:
    return text_at(watch, "target", "topic", "topicName")


def _begin(line: Line) -> News:
    asked = {"pageSize": "5000", "fields": "nextPageToken,responses(responseId,createTime,lastSubmittedTime)"}
    seen = _seen(line, _responses(line, asked), _NEVER)
    form = ask_google(line, "GET", _form(line), params={"fields": "revisionId"})
    return News(variables={_SEEN: seen, _REVISION: text_in(form, "revisionId")})


def _changed(line: Line) -> tuple[Mapping[str, Any], bool]:
    """The form, if it is another than it was. Google may number revisions anew: then it is told of, too."""
    known = line.variables[_REVISION]
    form = ask_google(line, "GET", _form(line), params={"fields": "revisionId"})
    if text_in(form, "revisionId") == known:
        return form, False
    return ask_google(line, "GET", _form(line)), True


def _responses(line: Line, asked: Mapping[str, str]) -> list[Mapping[str, Any]]:
    url = f"{_form(line)}/responses"
    first = ask_google(line, "GET", url, params=asked)
    return [each for page in pages(line, url, asked, first, _MAX_PAGES) for each in items_of(page, "responses")]


def _seen(line: Line, found: Sequence[Mapping[str, Any]], before: str) -> str:
    newest = max(map(_submitted, found), default=before)
    ids = sorted(text_in(each, "responseId") for each in found if _submitted(each) == newest)
    return " ".join((line.variables["FormID"], newest, *ids))


def _submitted(response: Mapping[str, Any]) -> str:
    """When a response was submitted, with all nine digits, so that texts sort as moments do."""
    text = text_at(response, "lastSubmittedTime") or text_in(response, "createTime")
    whole, _, digits = text.removesuffix("Z").partition(".")
    return f"{whole}.{digits:0<9}Z"


def _moment(text: str) -> int:
    try:
        return parse_time(text)
    except InvalidArgument:
        raise not_its_api() from None


def _form(line: Line) -> str:
    return f"{_API}/{quote(line.variables['FormID'], safe='')}"


FEED = Feed(
    register=register,
    poll=poll,
    needs=(TOPIC,),
    keeps=(_SEEN, _REVISION),
    about=("FormID",),
    # Google loses what it publishes in extraordinary circumstances only, and the next of it has the connection look.
    poll_anyway_s=3600.0,
    why_not=why_not,
)
