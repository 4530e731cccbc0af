"""Messages and JSON values survive the way over the socket, however it is cut, and what is none is refused."""

import json
import socket
import struct
import sys
from dataclasses import fields
from typing import Any, get_args, get_type_hints

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autokitteh._jsonable import check_json
from autokitteh_runner.protocol import (
    MAX_HEADER_BYTES,
    Ack,
    Connection,
    End,
    FrameReader,
    Message,
    ProtocolError,
    Unwait,
    cut_payloads,
    decode,
    dump_json,
    encode,
    load_json,
    max_body_bytes,
)


def is_kept(text: str) -> bool:
    """JSON joins a surrogate and the one that fits it to the character that they mean; those that are alone stay."""
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass") == text


TEXT = st.text(st.characters()).filter(is_kept)
TAGS = st.sampled_from(["$bytes", "$dict", "$int", "$", "$other", ""])
LEAVES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.integers().map(lambda n: n << 20_000)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
    | TAGS
    | st.binary()
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TAGS | TEXT, inner, max_size=3), max_leaves=12
)

MESSAGES = get_args(Message)


def header_value(hint: Any) -> st.SearchStrategy[Any]:
    """Values for a field of a message, as JSON gives them back."""
    if hint is bool:
        return st.booleans()
    if hint is int:
        return st.integers()
    if hint is str:
        return TEXT
    if hint == float | None:
        return st.none() | st.floats(allow_nan=False, allow_infinity=False)
    if hint == int | None:
        return st.none() | st.integers()
    if hint == dict[str, str]:
        return st.dictionaries(TEXT, TEXT, max_size=3)
    if hint == dict[str, float]:
        return st.dictionaries(TEXT, st.floats(allow_nan=False), max_size=3)
    return st.lists(TEXT | st.integers(), max_size=3)


def any_of(message: type[Any]) -> st.SearchStrategy[Any]:
    """Any message of one type."""
    hints = get_type_hints(message)
    values = {f.name: st.binary() if f.name == "body" else header_value(hints[f.name]) for f in fields(message)}
    return st.builds(message, **values)


ANY_MESSAGE = st.one_of(*map(any_of, MESSAGES))


@given(st.lists(ANY_MESSAGE, min_size=1, max_size=4), st.data())
def test_messages_survive_any_cut(messages: list[Any], data: st.DataObject) -> None:
    """What is read is what was written, wherever the stream of bytes is cut."""
    stream = b"".join(map(encode, messages))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(stream)), max_size=6)))
    reader, read = FrameReader(), []
    for start, end in zip([0, *cuts], [*cuts, len(stream)], strict=True):
        reader.feed(stream[start:end])
        while (message := reader.next()) is not None:
            read.append(message)
    assert read == messages
    assert [type(message) for message in read] == [type(message) for message in messages]


@given(ANY_MESSAGE)
def test_the_body_stays_out_of_the_header(message: Any) -> None:
    """The server need not look into a body, and a header is plain ASCII JSON."""
    frame = encode(message)
    header_size, body_size = struct.unpack_from(">II", frame)
    assert frame[8 + header_size :] == getattr(message, "body", b"")
    assert len(frame) == 8 + header_size + body_size
    assert len(json.loads(frame[8 : 8 + header_size].decode("ascii"))) == 1 + len(
        [f for f in fields(message) if f.name != "body"]
    )


@given(
    st.binary() | st.recursive(LEAVES.filter(lambda v: not isinstance(v, bytes | int)) | st.integers(-20, 20), st.lists)
)
def test_what_is_no_message(header: Any) -> None:
    """Any header gives a message or ProtocolError, and nothing else."""
    raw = header if isinstance(header, bytes) else json.dumps(header).encode()
    try:
        message = decode(raw, b"")
    except ProtocolError as err:
        assert str(err).startswith("an unreadable message of ")
    else:
        assert isinstance(message, MESSAGES)


@pytest.mark.parametrize(
    "header",
    [b"", b"[]", b"[99]", b"[-1]", b'["0"]', b"{}", b"7", b"[2, 1]", b"[0]", b"[8", b"\xff", b"[" * 100_000],
)
def test_unreadable_headers(header: bytes) -> None:
    """Broken JSON, unknown tags, and too few or too many fields are all the same mistake."""
    with pytest.raises(ProtocolError):
        decode(header, b"")


@pytest.mark.parametrize(("header", "body"), [(MAX_HEADER_BYTES + 1, 0), (2, 1001), (2**32 - 1, 2**32 - 1)])
def test_a_frame_that_is_too_large_is_refused_at_once(header: int, body: int) -> None:
    """Before there is more of it than its lengths: nothing is kept of it, and nothing waited for."""
    reader = FrameReader()
    reader.max_body_bytes = 1000
    reader.feed(struct.pack(">II", header, body))
    with pytest.raises(ProtocolError, match=f"{header:,} and a body of {body:,}"):
        reader.next()


@pytest.mark.parametrize("results", [1, 10**9])
def test_a_body_may_have_the_largest_result_and_more(results: int) -> None:
    """What goes with a result, such as other records, has room as well."""
    assert max_body_bytes(results) > results
    assert max_body_bytes(0) == 2**32 - 1


def test_a_connection_reads_until_its_other_side_closes() -> None:
    """Messages come out one by one, those that have arrived without touching the socket; then None."""
    ours, theirs = (Connection(end) for end in socket.socketpair())
    messages: list[Message] = [Ack(), Unwait("0", 3), End("COMPLETED", "", b"null")]
    for message in messages:
        theirs.send(message)
    assert ours.receive() == messages[0]
    assert [ours.buffered(), ours.buffered(), ours.buffered()] == [*messages[1:], None]
    theirs.close()
    assert ours.receive() is None
    with pytest.raises(OSError):
        for _ in range(100):
            ours.send(End("COMPLETED", "", b"x" * 1_000_000))
    ours.close()


@given(st.lists(st.binary()))
def test_payloads_follow_one_another(payloads: list[bytes]) -> None:
    """Payloads are cut out of a body again by their sizes."""
    assert list(cut_payloads(map(len, payloads), b"".join(payloads))) == payloads


# --- JSON values that may hold bytes ---------------------------------------------------------------------------------


@given(VALUES)
def test_json_values_survive(value: Any) -> None:
    """What comes back is what went in: bytes, integers of any size, and dicts that look like our own tags."""
    text = dump_json(value)
    assert load_json(text) == value
    assert load_json(text.encode()) == value
    assert repr_types(load_json(text)) == repr_types(value)


def repr_types(value: Any) -> Any:
    """The types in a value, for True == 1 == 1.0."""
    if isinstance(value, dict):
        return {key: repr_types(item) for key, item in value.items()}
    return [repr_types(item) for item in value] if isinstance(value, list) else type(value).__name__


@given(VALUES)
def test_what_leaves_a_session_can_be_written(value: Any) -> None:
    """Whatever passes the SDK's check can be sent."""
    assert load_json(dump_json(check_json(value, "value"))) == value


@pytest.mark.parametrize(
    "value", [{"$bytes": "eA=="}, {"$dict": {"$dict": {}}}, {"$int": "f"}, {"$": b"$"}, [{"$dict": 1}]]
)
def test_values_that_look_like_tags(value: Any) -> None:
    """Data that looks like our own notation is data all the same."""
    assert load_json(dump_json(value)) == value


def test_integers_beyond_pythons_limit() -> None:
    """Integers of more digits than Python turns into text can be sent, beside all else."""
    value = {"n": [10**5000, -(10**5000)], "b": b"x", "$int": 1, "t": {"$int": "1"}}
    with pytest.raises(ValueError, match="digits"):
        str(10**5000)
    assert load_json(dump_json(value)) == value


@pytest.mark.parametrize("value", [bytearray(b"x"), memoryview(b"x"), [bytearray(b"$x")], {"$a": memoryview(b"x")}])
def test_kinds_of_bytes(value: Any) -> None:
    """All that is made of bytes comes back as bytes."""
    assert b"x" in str(load_json(dump_json(value))).encode()


@pytest.mark.parametrize("mark", ["", "$"])
@pytest.mark.parametrize("value", [object(), {1, 2}, 1j, float("nan"), float("inf"), -float("inf"), {b"x": 1}, {(): 1}])
def test_what_is_no_json(value: Any, mark: str) -> None:
    """Anything else is refused, with tags beside it or without."""
    with pytest.raises((TypeError, ValueError)):
        dump_json([value, mark])


def test_what_has_no_end() -> None:
    """Data that contains itself is refused, and so is what is nested too deeply."""
    endless: list[Any] = ["$"]
    endless.append(endless)
    deep: list[Any] = []
    for _ in range(sys.getrecursionlimit() * 100):
        deep = [deep]
    for value in (endless, deep):
        with pytest.raises(ValueError, match=r"itself|deep"):
            dump_json(value)


@pytest.mark.parametrize("text", ["", "{", b"\xff", "nope", '{"$bytes": "x"}', '{"$int": "x"}'])
def test_text_that_is_no_json(text: str | bytes) -> None:
    """What cannot be read is a ValueError."""
    with pytest.raises(ValueError):
        load_json(text)
