"""subscribe, next_event, signals: the public functions on the in-memory runtime."""

import pickle
from datetime import timedelta
from typing import Any

import pytest

import autokitteh
from autokitteh import AttrDict, AutoKittehError, Event, testing


def test_data_or_whole_event() -> None:
    """Without `full` the data is returned, with it the event."""
    with testing.session() as runtime:
        subscription = autokitteh.subscribe("hook")
        runtime.send_event("hook", {"user": {"id": 1}}, "post")
        event_id = runtime.send_event("hook", {"n": 2}, "get")
        data = autokitteh.next_event(subscription)
        assert isinstance(data, AttrDict) and data.user.id == 1
        event = autokitteh.next_event(subscription, full=True)
        assert event == Event({"n": 2}, event_id, "get", "ses_0")


def test_received_data_answers_to_data() -> None:
    """Programs write `received.data.body` as well as `received.body`; a key of that name comes first."""
    with testing.session() as runtime:
        subscription = autokitteh.subscribe("hook")
        runtime.send_event("hook", {"body": {"text": "hi"}})
        runtime.send_event("hook", {"data": {"body": "own"}})
        received = autokitteh.next_event(subscription)
        assert received is not None
        assert received.data.body.text == received.body.text == "hi"
        assert received == {"body": {"text": "hi"}}
        with pytest.raises(AttributeError, match="no key 'nothing'"):
            _ = received.nothing
        copied = pickle.loads(pickle.dumps(received))
        assert copied == received and copied.data is copied
        second = autokitteh.next_event(subscription)
        assert second is not None and second.data.body == "own"


def test_ids_are_arguments_or_one_list() -> None:
    """Both forms wait for any of the subscriptions, in order of arrival."""
    with testing.session() as runtime:
        a, b = autokitteh.subscribe("a"), autokitteh.subscribe("b")
        for n in range(4):
            runtime.send_event("ba"[n % 2], {"n": n})
        assert [autokitteh.next_event(a, b), autokitteh.next_event([b, a])] == [{"n": 0}, {"n": 1}]
        assert [autokitteh.next_event((a, b)), autokitteh.next_event(a, timeout=0)] == [{"n": 2}, {"n": 3}]


@pytest.mark.parametrize("timeout", [timedelta(seconds=90), 90, 90.0])
def test_time_out_gives_none(timeout: timedelta | float) -> None:
    """A time-out is a timedelta or seconds, and passes on the virtual clock."""
    with testing.session() as runtime:
        subscription = autokitteh.subscribe("a")
        assert autokitteh.next_event(subscription, timeout=timeout) is None
        assert autokitteh.next_event(subscription, timeout=timeout, full=True) is None
        assert autokitteh.next_signal("s", timeout=timeout) is None
        assert runtime.clock.now() == 270


@pytest.mark.parametrize(
    ("ids", "options", "error", "message"),
    [
        ([], {}, ValueError, "at least one subscription id is needed"),
        ([[]], {}, ValueError, "at least one subscription id is needed"),
        ([""], {}, ValueError, "subscription id must not be empty"),
        ([None], {}, TypeError, "subscription id must be a string, not NoneType"),
        ([["a"], ["b"]], {}, TypeError, "subscription id must be a string, not list"),
        (["a"], {"timeout": -1}, ValueError, "timeout must not be negative"),
        (["a"], {"timeout": timedelta(seconds=-1)}, ValueError, "timeout must not be negative"),
        (["a"], {"timeout": "1m"}, TypeError, "timeout must be a timedelta or seconds, not str"),
        (["a"], {"timeout": True}, TypeError, "timeout must be a timedelta or seconds, not bool"),
        (["a"], {"timeout": timedelta.max}, ValueError, "None waits for ever"),
        (["sub_9"], {}, AutoKittehError, "no subscription 'sub_9'"),
    ],
)
def test_next_event_refuses(ids: list[Any], options: dict[str, Any], error: type[Exception], message: str) -> None:
    """Wrong arguments are named before anything waits."""
    with testing.session(), pytest.raises(error, match=message):
        autokitteh.next_event(*ids, **options)


def test_subscribe_and_unsubscribe_check_their_arguments() -> None:
    """A source is a non-empty string, a filter a string."""
    with testing.session():
        with pytest.raises(ValueError, match="source must not be empty"):
            autokitteh.subscribe("")
        with pytest.raises(TypeError, match="source must be a string"):
            autokitteh.subscribe(None)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="filter must be a string in CEL, not NoneType"):
            autokitteh.subscribe("a", None)  # type: ignore[arg-type]
        with pytest.raises(TypeError, match="subscription id must be a string"):
            autokitteh.unsubscribe(7)  # type: ignore[arg-type]


def test_unsubscribe_ends_the_subscription() -> None:
    """Afterwards the id is unknown; ending it again is no error."""
    with testing.session() as runtime:
        subscription = autokitteh.subscribe("a")
        runtime.send_event("a", {})
        autokitteh.unsubscribe(subscription)
        autokitteh.unsubscribe(subscription)
        with pytest.raises(AutoKittehError, match="no subscription"):
            autokitteh.next_event(subscription)


def test_signals_arrive_by_name_and_in_order() -> None:
    """next_signal takes the earliest of the names it is given, and leaves the others."""
    with testing.session() as runtime:
        runtime.send_signal("a", 1)
        runtime.send_signal("b", {"x": 2})
        runtime.send_signal("a", 3)
        first, second = autokitteh.next_signal("b"), autokitteh.next_signal(["b", "a"])
        assert first is not None and first.payload.x == 2
        assert second is not None and (second.name, second.payload) == ("a", 1)
        third = autokitteh.next_signal(name for name in ["a"])
        assert third is not None and third.payload == 3


def test_signals_to_itself_and_to_others() -> None:
    """What is sent can be read back; what a session sends to itself arrives."""
    with testing.session() as runtime:
        autokitteh.signal("ses_7", "go", {"n": (1, 2)})
        autokitteh.signal("ses_0", "self")
        assert runtime.signals_sent == [
            testing.SentSignal("ses_7", "go", {"n": [1, 2]}),
            testing.SentSignal("ses_0", "self", None),
        ]
        assert autokitteh.next_signal("self") == autokitteh.Signal("self")


@pytest.mark.parametrize(
    ("names", "error", "message"),
    [
        ([], ValueError, "at least one signal name is needed"),
        ("", ValueError, "must not be empty"),
        ([1], TypeError, "must be a string, not int"),
    ],
)
def test_next_signal_refuses(names: Any, error: type[Exception], message: str) -> None:
    """A signal has a name."""
    with testing.session(), pytest.raises(error, match=message):
        autokitteh.next_signal(names)


def test_signal_refuses() -> None:
    """Ids and names are strings, payloads JSON, and nothing is sent otherwise."""
    with testing.session() as runtime:
        with pytest.raises(TypeError, match="session id must be a string"):
            autokitteh.signal(1, "n")  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="signal name must not be empty"):
            autokitteh.signal("ses_1", "")
        with pytest.raises(TypeError, match=r'payload\["a"\]: set is not JSON'):
            autokitteh.signal("ses_1", "n", {"a": {1}})
    assert runtime.signals_sent == []
