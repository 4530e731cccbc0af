"""Events and signals, as handlers get them."""

import copy
import json
import pickle

import pytest

from autokitteh import AttrDict, Event, Signal

EVENT = Event({"login": "ann", "user": {"id": 7}}, "evt_1", "post", "ses_1")


def test_data_can_be_read_both_ways() -> None:
    """Attributes and keys lead to the same data."""
    assert EVENT.data.user.id == 7
    assert EVENT["data"]["user"]["id"] == 7
    assert (EVENT.event_id, EVENT.event_type, EVENT.session_id) == ("evt_1", "post", "ses_1")
    assert json.loads(json.dumps(EVENT.data)) == {"login": "ann", "user": {"id": 7}}


def test_a_key_that_is_no_field_is_looked_up_in_the_data() -> None:
    """`event["login"]` works, as handlers of manual runs write it."""
    assert EVENT["login"] == "ann"
    assert EVENT.get("login") == "ann"
    assert EVENT.get("nothing", 1) == 1
    assert "login" in EVENT and "event_id" in EVENT and "nothing" not in EVENT
    with pytest.raises(KeyError, match="nothing"):
        _ = EVENT["nothing"]


def test_fields_come_before_data() -> None:
    """Data cannot hide a field of the event."""
    event = Event({"event_type": "other", "data": 1}, event_type="push")
    assert event["event_type"] == "push"
    assert event["data"] is event.data


def test_iterates_over_its_fields() -> None:
    """As a mapping an event has four keys."""
    assert list(EVENT) == ["data", "event_id", "event_type", "session_id"]
    assert len(EVENT) == 4
    assert dict(EVENT)["event_type"] == "post"
    assert dict(**EVENT) == dict(EVENT)


def test_defaults_are_those_of_a_manual_run() -> None:
    """An event without anything has empty data, and no id or type."""
    event = Event()
    assert event.data == {} and isinstance(event.data, AttrDict)
    assert event.event_id is event.event_type is event.session_id is None
    assert Event({}) == event


def test_equality_compares_all_fields() -> None:
    """Two events are equal if all four fields are; an event is no dict, and has no hash."""
    assert Event({"a": 1}, "e") == Event({"a": 1}, "e")
    assert Event({"a": 1}, "e") != Event({"a": 1}, "f")
    assert Event({"a": 1}) != {"a": 1}
    with pytest.raises(TypeError):
        hash(Event())


def test_repr_shows_all_fields() -> None:
    """What is printed while debugging says what the event is, as the code that makes it."""
    text = repr(EVENT)
    assert eval(text) == EVENT
    assert "event_type='post'" in text


def test_events_and_signals_survive_copying() -> None:
    """Pickle and deepcopy give equals, with data that still reads as attributes."""
    for original in (EVENT, Signal("done", {"value": {"n": 1}}), Signal("raw", b"\0")):
        for made in (pickle.loads(pickle.dumps(original)), copy.deepcopy(original)):
            assert made == original and type(made) is type(original)
    assert pickle.loads(pickle.dumps(EVENT)).data.user.id == 7


def test_a_missing_attribute_points_to_the_data() -> None:
    """The usual slip, `event.login`, gets a message that helps."""
    with pytest.raises(AttributeError, match=r"no attribute 'login'; what it carries is in event\.data"):
        _ = EVENT.login


def test_data_must_be_a_mapping() -> None:
    """Data that is no dict is refused where it is given."""
    with pytest.raises(TypeError, match="must be a dict, not list"):
        Event([1])  # type: ignore[arg-type]


def test_signals_carry_a_payload() -> None:
    """A signal has a name and a payload, whose dicts read as attributes."""
    signal = Signal("ses_1", {"completed": True, "value": 3})
    assert signal.name == "ses_1" and signal.payload.completed and signal.payload["value"] == 3
    assert signal == Signal("ses_1", {"completed": True, "value": 3}) != Signal("ses_1")
    assert signal != ("ses_1", signal.payload)
    assert repr(signal) == "Signal(name='ses_1', payload={'completed': True, 'value': 3})"
    with pytest.raises(TypeError):
        hash(signal)


def test_signals_can_be_matched() -> None:
    """`match` takes a signal apart by position."""
    match Signal("go", 5):
        case Signal("go", payload):
            assert payload == 5
        case _:
            pytest.fail("not matched")
