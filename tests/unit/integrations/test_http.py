"""The way to services: its bounds, where it leads, and what it tells of failures."""

import itertools

import httpx
import pytest

from autokitteh_server.integrations.asking import verify_answer
from autokitteh_server.integrations.errors import Intent, ServiceError
from autokitteh_server.integrations.http import ServiceHttp
from autokitteh_server.integrations.spec import Answer


def way_to(answer: httpx.Response | Exception, **options: object) -> tuple[ServiceHttp, list[httpx.Request]]:
    """A way to a service that answers always the same, and what it was asked."""
    asked: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        asked.append(request)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return ServiceHttp(now_s=lambda: 0, transport=httpx.MockTransport(respond), **options), asked  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("api", "base_url", "url", "expected"),
    [
        ("", "", "https://a.com/x?q=1", "https://a.com/x?q=1"),
        ("https://a.com/v1", "http://b:1/proxy/", "https://a.com/v1/x?q=1", "http://b:1/proxy/x?q=1"),
        ("https://a.com/v1", "http://b:1", "https://login.a.com/token", "http://b:1/token"),
        ("", "http://b:1", "https://a.com/x%20y", "http://b:1/x%20y"),
        ("https://a.com", "http://b:1", "https://a.com.cn/x", "http://b:1/x"),
        ("https://a.com", "http://b:1", "https://a.com", "http://b:1"),
    ],
)
def test_another_address(api: str, base_url: str, url: str, expected: str) -> None:
    """`base_url` stands in place of the API's address, and of the hosts of all others."""
    http, asked = way_to(httpx.Response(200), api=api, base_url=base_url)

    http("GET", url)

    assert str(asked[0].url) == expected


def test_redirects_stay_on_the_host() -> None:
    """One is followed to the same host; credentials never go to another one."""
    for location, expected in [("/there", 4), ("https://b.com/", 1), ("http://a.com/", 1)]:
        http, asked = way_to(httpx.Response(302, headers={"location": location}))

        answer = http("GET", "https://a.com/", headers={"authorization": "Bearer t"})

        assert (len(asked), answer.status) == (min(expected, 3), 302)
        with pytest.raises(ServiceError, match="another address"):
            verify_answer(answer)


def test_posts_are_not_redirected() -> None:
    """What is posted once is not posted again elsewhere."""
    http, asked = way_to(httpx.Response(307, headers={"location": "/there"}))

    assert http("POST", "https://a.com/", json={}).status == 307
    assert len(asked) == 1


def test_answers_are_bounded() -> None:
    """A service cannot fill the memory."""
    http, _ = way_to(httpx.Response(200, content=b"x" * 101), max_bytes=100)

    with pytest.raises(ServiceError, match="more than 100 bytes") as failure:
        http("GET", "https://a.com/")
    assert failure.value.intent is Intent.OURS


def test_answers_that_never_end() -> None:
    """One that comes in drops, each in time, is given up as a whole."""
    http, _ = way_to(httpx.Response(200, content=itertools.repeat(b"x")), timeout_s=0.02, max_bytes=10**9)

    with pytest.raises(ServiceError, match=r"within 0\.02 s"):
        http("GET", "https://a.com/")


def test_patience_for_one_request() -> None:
    """A service that is asked to wait gets more time than others, for that request alone."""
    http, asked = way_to(httpx.Response(200), timeout_s=2.0)

    http("GET", "https://a.com/", timeout_s=7.5)
    http("GET", "https://a.com/")

    assert [set(each.extensions["timeout"].values()) for each in asked] == [{7.5}, {2.0}]


def test_patience_is_told() -> None:
    """How long was waited, for the whole answer and for a part of it."""
    http, _ = way_to(httpx.ReadTimeout("x"))
    with pytest.raises(ServiceError, match="within 7 s"):
        http("GET", "https://a.com/", timeout_s=7.0)

    http, _ = way_to(httpx.Response(200, content=itertools.repeat(b"x")), max_bytes=10**9)
    with pytest.raises(ServiceError, match=r"within 0\.02 s"):
        http("GET", "https://a.com/", timeout_s=0.02)


@pytest.mark.parametrize(
    ("error", "message", "intent"),
    [
        (httpx.ReadTimeout("x"), "did not answer within 3 s", Intent.RETRY),
        (httpx.ConnectTimeout("x"), "did not answer within 3 s", Intent.RETRY),
        (httpx.ConnectError("[Errno 111] Connection refused"), "the connection was refused", Intent.RETRY),
        (httpx.ConnectError("[Errno -2] Name or service not known"), "cannot be found", Intent.RETRY),
        (httpx.ConnectError("certificate verify failed"), "not trusted", Intent.TERMINAL),
        (httpx.RemoteProtocolError("hush"), "broke off the connection", Intent.RETRY),
        (httpx.LocalProtocolError("hush"), "cannot be asked with these values", Intent.TERMINAL),
        (httpx.DecodingError("hush"), "cannot be asked", Intent.TERMINAL),
    ],
)
def test_failures_in_our_words(error: Exception, message: str, intent: Intent) -> None:
    """What httpx says may have a URL with a token in it; it is neither told nor chained."""
    http, _ = way_to(error)

    with pytest.raises(ServiceError, match=message) as failure:
        http("GET", "https://a.com/bot-hush")

    assert failure.value.intent is intent
    assert "hush" not in str(failure.value)
    assert failure.value.__suppress_context__


@pytest.mark.parametrize("value", ["line\nbreak", "nul\0", "snow \N{SNOWMAN}"])
def test_credentials_that_cannot_be_sent(value: str) -> None:
    """What no header can hold is told without being shown."""
    http = ServiceHttp(now_s=lambda: 0, base_url="http://127.0.0.1:1")

    with pytest.raises(ServiceError, match="cannot be") as failure:
        http("GET", "https://a.com/", headers={"authorization": value})
    assert value not in str(failure.value)


@pytest.mark.parametrize("url", ["a.com/x", "ftp://a.com/", "https://", "http://[::1/", "https://a.com:99999999/"])
def test_addresses_that_are_none(url: str) -> None:
    """They are refused before anything is sent."""
    http = ServiceHttp(now_s=lambda: 0)

    with pytest.raises(ServiceError):
        http("GET", url)


def test_retry_after() -> None:
    """How long to wait is what the service asks for."""
    for code in (429, 503):
        with pytest.raises(ServiceError) as failure:
            verify_answer(Answer(status=code, headers={"retry-after": "17"}, body=b""))
        assert failure.value.intent is Intent.RETRY
        assert failure.value.retry_after_s == 17
        assert failure.value.status == code
