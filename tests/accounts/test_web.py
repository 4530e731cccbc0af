"""The way to services: bounded, and straight."""

from collections.abc import Iterator

import pytest

from autokitteh_server.accounts.errors import ServiceUnavailable, TokenRefused
from autokitteh_server.accounts.web import Web, shown
from autokitteh_server.core.masking import masker
from sdk.fake_service import Moved, serving


def ticking(step: float) -> Iterator[float]:
    """A clock that goes on by so much each time it is looked at."""
    now = 0.0
    while True:
        now += step
        yield now


def test_an_answer_has_to_come_to_an_end_in_time() -> None:
    """However steadily its pieces come."""
    times = ticking(6.0)
    with serving({"GET /x": {}}) as fake:
        assert Web(seconds=lambda: next(times)).ask("GET", f"{fake.url}/x", headers={}).json() == {}
        times = ticking(11.0)
        with pytest.raises(ServiceUnavailable, match="not answered in time"):
            Web(seconds=lambda: next(times)).ask("GET", f"{fake.url}/x", headers={})


def test_secrets_follow_no_redirect() -> None:
    """An answer that says to look elsewhere is no answer."""
    with serving({}) as elsewhere, serving({"GET /x": (302, Moved(f"{elsewhere.url}/y"))}) as fake:
        reply = Web().ask("GET", f"{fake.url}/x", headers={"Authorization": "Bearer s3cr3t"})
        with pytest.raises(ServiceUnavailable, match="no JSON"):
            reply.read_object()
        assert elsewhere.asked == []


@pytest.mark.parametrize(
    "url", ["http://", "x", "http://127.0.0.1:1/", "http://a\nb/", "ftp://127.0.0.1/", "http://[::x]/"]
)
def test_what_is_no_address_is_told_of(url: str) -> None:
    """As a service that cannot be asked."""
    with pytest.raises(ServiceUnavailable):
        Web().ask("GET", url, headers={})


@pytest.mark.parametrize(
    ("status", "value", "kind"),
    [
        (401, {"message": "Bad credentials"}, TokenRefused),
        (404, {}, TokenRefused),
        (429, {}, ServiceUnavailable),
        (503, {}, ServiceUnavailable),
        (200, [], ServiceUnavailable),
    ],
)
def test_a_no_is_another_thing_than_no_answer(status: int, value: object, kind: type[Exception]) -> None:
    """What is refused stays refused; what is not answered may be, later."""
    with serving({"GET /x": lambda _: (status, value)}) as fake, pytest.raises(kind):
        Web().ask("GET", f"{fake.url}/x", headers={}).read_object()


def test_what_a_service_says_is_fit_to_be_shown() -> None:
    """One line, not too long, and nothing secret."""
    masker.add("s3cr3t-of-web")

    assert shown("it is\ns3cr3t-of-web\x00!") == "it is *** !"
    assert len(shown("x" * 5000)) == 300
    assert shown(None) == shown({"a": 1}) == ""
