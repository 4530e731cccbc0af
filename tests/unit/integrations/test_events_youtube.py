"""What YouTube's hub posts: Atom, signed; and what is no Atom, or wants to be more."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autokitteh_server.integrations.samples import load_sample, sample_types
from autokitteh_server.integrations.webhook import Request
from autokitteh_server.integrations.youtube.atom import Video, read_videos
from autokitteh_server.integrations.youtube.webhook import WEBHOOK
from deliveries import own, passes, refusal, request, take, types_and_data
from unit.integrations.youtube_service import ATOM, entry, feed, gone, signature

SECRET = own("s3cret", "HubSecret")
BODY = feed(entry("a"))


def signed(body: bytes, secret: str = "s3cret", content_type: str = ATOM) -> Request:
    return request("webhook/con_1", body, {"x-hub-signature": signature(secret, body)}, content_type=content_type)


def test_as_it_is_sent() -> None:
    """Videos, and those that were deleted, with the same fields."""
    received = take(WEBHOOK, signed(feed(entry("a", title="<1>"), gone("b", "UC2"))), SECRET)
    (_, published), (_, deleted) = types_and_data(received)

    assert published["title"] == "<1>" and published["channel_id"] == "UC1"
    assert deleted == {
        "video_id": "b",
        "channel_id": "UC2",
        "title": "",
        "author": "Ada",
        "link": "https://www.youtube.com/watch?v=b",
        "published": "",
        "updated": "2025-01-09T10:00:00+00:00",
    }
    assert passes("data.author == 'Ada' && data.title == ''", "video_deleted", deleted)


@pytest.mark.parametrize("event_type", sample_types("youtube"))
def test_samples_have_the_fields_that_there_are(event_type: str) -> None:
    """A handler that works with a sample works with what comes."""
    assert load_sample("youtube", event_type).keys() == Video(is_deleted=False).data().keys()


@pytest.mark.parametrize(
    ("call", "status"),
    [
        (request("webhook/con_1", BODY, content_type=ATOM), 401),
        (signed(BODY, "wrong"), 403),
        (request("webhook/con_1", BODY, {"x-hub-signature": "sha256=00"}, content_type=ATOM), 403),
        (signed(BODY, content_type="application/json"), 400),
        (signed(b"{}"), 400),
        (signed(b""), 400),
        (signed(BODY[:-9]), 400),
        (signed(BODY + b"<more/>"), 400),
        (signed(b"<entry xmlns='http://www.w3.org/2005/Atom'/>"), 400),
        (request("webhook/con_1", method="GET"), 403),
        (request("webhook/con_1", method="GET", url="http://["), 400),
        (request("webhook/con_1", method="GET", url=f"https://x/?{'a=1&' * 99}"), 400),
    ],
)
def test_what_is_refused(call: Request, status: int) -> None:
    """With the status that the service's sheet has."""
    assert refusal(WEBHOOK, call, SECRET) == status


def test_a_connection_that_is_gone() -> None:
    """What the hub still sends is taken and dropped; to go on is confirmed to nobody."""
    assert take(WEBHOOK, signed(BODY)).events == ()
    asked = request("webhook/con_1", method="GET", url="https://x/?hub.mode=subscribe&hub.challenge=1")
    assert take(WEBHOOK, asked).reply.body == b""


BOMB = b"""<?xml version="1.0"?><!DOCTYPE feed [<!ENTITY a "aaaaaaaaaaaaaaaaaaaa">
<!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;">]>
<feed xmlns="http://www.w3.org/2005/Atom"><entry><title>&c;</title></entry></feed>"""


@pytest.mark.parametrize(
    "body",
    [
        BOMB,
        BODY.replace(b"<feed", b"<!DOCTYPE feed SYSTEM 'file:///etc/passwd'><feed", 1),
        BODY.replace(b"A &amp; B", b"&undeclared;"),
        feed("<a>" * 30 + "</a>" * 30),
        BODY.replace(b"A &amp; B", b"\xff\xfe"),
    ],
    ids=["bomb", "file", "undeclared", "deep", "no UTF-8"],
)
def test_documents_that_want_to_be_more(body: bytes) -> None:
    """No document type, no entity, nothing of a file, and no tower of elements."""
    with pytest.raises(ValueError, match=r"document type|no XML|too deep"):
        read_videos(body)


def test_the_encoding_is_not_for_the_sender_to_choose() -> None:
    """Whatever the document says, it is read as UTF-8."""
    body = feed(entry("a", title="é")).replace(b"UTF-8", b"utf-7")

    assert read_videos(body)[0].title == "é"


def test_a_long_one_is_read_soon() -> None:
    """In a time that grows with its length, and no faster."""
    body = feed(*(entry(f"v{n}", title="x" * 1000) for n in range(2000)))
    began = time.perf_counter()

    assert len(read_videos(body)) == 2000
    assert time.perf_counter() - began < 5


def test_entries_without_an_id_are_none() -> None:
    """Nor are elements that only look like an entry."""
    assert read_videos(feed("<entry/>", "<x:entry xmlns:x='urn:x'><yt:videoId>a</yt:videoId></x:entry>")) == []


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_anything_is_read_or_refused(data: st.DataObject) -> None:
    """A document with something else in the middle."""
    body = feed(entry("a"), gone("b"))
    at = data.draw(st.integers(0, len(body)))
    to = data.draw(st.integers(at, min(len(body), at + 40)))
    spoilt = body[:at] + data.draw(st.binary(max_size=20)) + body[to:]
    try:
        assert all(each.video_id for each in read_videos(spoilt))
    except ValueError:
        pass
