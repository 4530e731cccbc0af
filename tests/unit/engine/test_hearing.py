"""Whatever a runner says is a message that makes sense, or ProtocolError: nothing else is ever raised."""

import json
from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from autokitteh_runner.protocol import (
    Ack,
    Append,
    Done,
    End,
    Idle,
    Message,
    ProtocolError,
    Request,
    Unwait,
    Wait,
    WireRecord,
    cut_payloads,
    decode,
    dump_json,
    encode,
)
from autokitteh_server.core.states import SessionState
from autokitteh_server.engine import hearing, requests, wire

LINE = WireRecord("print", "done", "0", 0, "stdout", "", "", "", "text", "", 1, 1, 1, "", 0)
CALL = WireRecord("call", "done", "0.1", 3, "f", "a.py:1:f", "ab", "1", "2", "", 1, 1, 2, "pickle", 4)
GOOD: list[Message] = [
    Append([LINE, CALL], True, b"four"),
    Request("@1", -1, "store", "autokitteh.store.get", "", "", "", dump_json({"key": "k", "op": "get"}).encode()),
    Request("0", 1, "signal", "x", "", "", "", dump_json({"session_id": "s", "name": "n", "payload": [1.5]}).encode()),
    Wait("0", 0, "sleep", "sleep", "", "", [], 0.5, False, None),
    Wait("0.loop", 0, "next_signal", "x", "", "", ["a"], None, True, 12),
    Unwait("load", 3),
    Idle(0),
    End("COMPLETED", "", b"null"),
    End("ERROR", "Error: x", b""),
]
STRANGE: list[Any] = [
    None, True, -2, 2**63, 10**400, 1.5, 1e300, "", "x" * 1_000_001, "\0", "\ud800", "state", "@", [], [[]], ["x"], {},
    {"x": 1},
]  # fmt: skip
ANYTHING = st.recursive(
    st.sampled_from(STRANGE) | st.integers() | st.text(max_size=5) | st.floats(),
    lambda inner: st.lists(inner, max_size=16) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=20,
)


def hear(message: Message) -> None:
    """All that the turn does with a message before it believes it, and what it does at once with one that it does."""
    hearing.check_message(message)
    match message:
        case Append():
            payloads = cut_payloads([record[-1] for record in message.records], message.body)
            records = [
                wire.record(WireRecord(*each), load) for each, load in zip(message.records, payloads, strict=True)
            ]
            assert b"".join(record.payload for record in records) == message.body
        case Request():
            dump_json(hearing.load_arguments(message))
            wire.effect(message, "done", "json", None, started_at=0)
        case Wait():
            wire.wait(message)
            round((message.seconds or 0) * 1_000_000)
        case End():
            SessionState(message.state)
            dump_json(hearing.load_sent(message.body) if message.body else None)


def over_the_wire(message: Message) -> Message:
    """As the server gets it."""
    frame = encode(message)
    size = int.from_bytes(frame[:4], "big")
    return decode(frame[8 : 8 + size], frame[8 + size :])


@pytest.mark.parametrize("message", GOOD, ids=repr)
def test_what_runners_say_is_heard(message: Message) -> None:
    """Nothing that is meant is refused."""
    hear(over_the_wire(message))


@pytest.mark.parametrize("message", [Ack(), Done("0", 0, "json", 1, b"null")], ids=repr)
def test_what_only_the_server_says(message: Message) -> None:
    """A runner that sends it is none."""
    with pytest.raises(ProtocolError, match="only the server"):
        hear(message)


def altered(message: Message) -> Iterator[Message]:
    """A message with one of its fields strange."""
    for field in fields(message):
        for strange in STRANGE:
            if field.name != "body":
                yield replace(message, **{field.name: strange})


@pytest.mark.parametrize("message", GOOD, ids=repr)
def test_one_strange_field(message: Message) -> None:
    """It makes sense all the same, or is refused; and most do not."""
    refused = [is_refused(each) for each in altered(message)]
    assert sum(refused) > len(refused) / 2


@pytest.mark.parametrize("at", range(len(LINE)))
def test_one_strange_field_of_a_record(at: int) -> None:
    """The same for what is in a record."""
    refused = [is_refused(Append([[*LINE[:at], strange, *LINE[at + 1 :]]], False, b"")) for strange in STRANGE]  # type: ignore[list-item]
    assert any(refused)


def is_refused(message: Message) -> bool:
    try:
        hear(message)
    except ProtocolError:
        return True
    return False


@settings(max_examples=300)
@given(st.sampled_from(get_args(Message)), st.lists(ANYTHING, max_size=10), st.binary(max_size=20))
def test_any_fields(cls: type[Any], values: list[Any], body: bytes) -> None:
    """Messages of any fields are refused, or make sense."""
    header = json.dumps([get_args(Message).index(cls), *values]).encode()
    try:
        hear(decode(header, body))
    except ProtocolError as error:
        assert len(str(error)) < 200


@pytest.mark.parametrize("kind", requests.ARGUMENTS)
@given(arguments=st.dictionaries(st.sampled_from(["loc", "data", "op", "key", "args", "http", "memo"]), ANYTHING))
def test_any_arguments(kind: str, arguments: dict[str, Any]) -> None:
    """A request of any arguments is refused, or has what its handler takes from it."""
    message = Request("0", 1, kind, "x", "", "", "", json.dumps(arguments).encode())
    is_refused(message)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"NaN", b"[Infinity]", b"1e999", b"[" * 130 + b"]" * 130, b"[" * 200_000, b"\xff", b'{"$bytes": 1}',
        b'{"$int": []}', b'{"$dict": 5}', b'{"$bytes": "x"}', b"1" * 5000,
    ],
)  # fmt: skip
def test_what_is_no_value(body: bytes) -> None:
    """What could not be written again, or exhausts whoever reads it, is refused."""
    with pytest.raises(ProtocolError):
        hearing.load_sent(body)


@pytest.mark.parametrize(
    "http",
    [
        {"status_code": 99}, {"status_code": "200"}, {"headers": {"a b": "c"}}, {"headers": {"a": "b\r\nc: d"}},
        {"headers": {"a": 1}}, {"headers": []}, {"body": 1}, {"more": 1}, {"other": 1},
    ],
)  # fmt: skip
def test_what_is_no_reply(http: dict[str, Any]) -> None:
    """Nobody can write into a reply what the SDK would not let him."""
    body = dump_json({"http": http, "event_id": None}).encode()
    with pytest.raises(ProtocolError):
        hearing.load_arguments(Request("0", 1, "outcome", "x", "", "", "", body))
