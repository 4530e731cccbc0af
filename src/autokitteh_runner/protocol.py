"""What the server and a runner say to each other: messages, their bytes, and JSON values that may hold bytes.

The only module that both sides import. A frame is two big-endian 32-bit lengths, a JSON header of that first length
and a body of the second. The header is a list: the message's tag, then its fields in order; a field named `body` is
not in it. Pickled values travel in bodies only, so that the server never has to look into one.
"""

import base64
import json
import socket
import struct
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from typing import Any, Final, NamedTuple

#: Raised with every change that an older side would misunderstand. Both sides come from one installation, so this
#: only ever differs when somebody mixes two.
VERSION: Final = 2

_LENGTHS = struct.Struct(">II")

#: The largest header that is sent. Records are sent in pieces, so that they need no more.
MAX_HEADER_BYTES: Final = 16 * 1024 * 1024

#: What a line of the log takes besides its text, when it is counted for `Limits.log_bytes`.
LINE_OVERHEAD_BYTES: Final = 100

#: Beyond the largest result, what else may be in a body: what an activity has changed, and other records.
BODY_SLACK_BYTES: Final = 64 * 1024 * 1024


class WireRecord(NamedTuple):
    """A journal record as a runner sends it; field for field what the server's journal keeps."""

    kind: str
    phase: str
    task: str
    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody wants here
    name: str
    site: str
    digest: str
    args: str
    result: str
    error: str
    attempt: int
    started_at: int
    finished_at: int
    codec: str
    size: int  # of its payload; payloads follow one another in the body


class ReplayRecord(NamedTuple):
    """A journal record as a runner needs it for replay."""

    kind: str
    phase: str
    task: str
    index: int  # type: ignore[assignment]
    name: str
    site: str
    digest: str
    attempt: int
    finished_at: int
    codec: str
    size: int


@dataclass(frozen=True, slots=True)
class Launch:
    """Server: how a fork server is to be. It gets it as JSON among its arguments, before it does anything else."""

    packages: bool  # the packages of its virtual environment are there; without, the standard library alone
    modules: list[str]  # to be imported before the first fork
    user: int | None  # whom to become, by number; the group has the same one
    covers: dict[str, list[str]]  # folders which that user may not enter, and what it needs of what is in them
    confine: bool  # whether it may see only what follows, where the kernel can do that
    readable: list[str]
    writable: list[str]


@dataclass(frozen=True, slots=True)
class Run:
    """Server: run this session. The first message on the socket."""

    version: int
    session_id: str
    project: str
    root: str  # folder that holds the build's files
    entry: str  # "file.py:function"
    durable: bool
    created_at: int  # microseconds since 1970: where the session's own clock starts
    vars: dict[str, str]  # environment variables
    limits: dict[str, float]  # see `Limits`
    temporary: str  # a folder of its own
    confine: bool  # whether it may see only what follows
    readable: list[str]  # files and folders
    writable: list[str]
    body: bytes  # the event: dump_json({"data", "event_id", "event_type"})


@dataclass(frozen=True, slots=True)
class Limits:
    """What a session may use. Seconds and bytes; 0 means no limit."""

    warn_after_s: float = 5.0  # workflow code that does not come back: warning
    fail_after_s: float = 60.0  # ... and failure
    result_bytes: int = 256 * 1024 * 1024  # one activity's pickled result
    memory_bytes: int = 1024 * 1024 * 1024  # of all its processes, what is their own
    cpu_s: float = 3600.0  # processor time of each process
    processes: int = 64
    open_files: int = 1024  # of each process
    file_bytes: int = 1024 * 1024 * 1024  # the size of each file that it writes
    log_bytes: int = 50_000_000  # what one process puts into the session's log; the rest is dropped


@dataclass(frozen=True, slots=True)
class Journal:
    """Server: a piece of the journal to replay; the last piece says so."""

    records: list[list[Any]]  # ReplayRecords
    last: bool
    body: bytes


@dataclass(frozen=True, slots=True)
class Ack:
    """Server: everything up to the last `Append` that asked for it is durable."""


@dataclass(frozen=True, slots=True)
class Done:
    """Server: the effect at this place is over, and that is durable."""

    task: str
    index: int
    codec: str  # "json", or "json-error": then the value is [name of an error class, message]
    finished_at: int
    body: bytes  # dump_json(value)


@dataclass(frozen=True, slots=True)
class Append:
    """Runner: records for the journal. With `sync` it waits for an `Ack`."""

    records: list[WireRecord]
    sync: bool
    body: bytes


@dataclass(frozen=True, slots=True)
class Request:
    """Runner: do this and record it, in one transaction. Answered by `Done`. `index` -1: not part of the journal.

    What is told of secrets is of no journal and not recorded at all: the server knows by the kind.
    """

    task: str
    index: int
    kind: str
    name: str
    site: str
    digest: str
    args: str  # preview
    body: bytes  # dump_json(arguments as a dict)


@dataclass(frozen=True, slots=True)
class Wait:
    """Runner: wait for a moment, or for one of these signals or events. Answered by `Done`, perhaps in a later turn."""

    task: str
    index: int
    kind: str
    name: str
    site: str
    args: str  # preview
    names: list[str]
    seconds: float | None  # None: for ever
    opened: bool  # the journal has its start already; then `deadline_at` counts, not `seconds`
    deadline_at: int | None


@dataclass(frozen=True, slots=True)
class Unwait:
    """Runner: no longer interested."""

    task: str
    index: int


@dataclass(frozen=True, slots=True)
class Idle:
    """Runner: nothing to do until one of the waits is over."""

    seen: int  # `Done`s received so far: if the server has sent more, this is out of date


@dataclass(frozen=True, slots=True)
class End:
    """Runner: the session is over."""

    state: str  # COMPLETED or ERROR
    error: str  # message and traceback, for people
    body: bytes  # dump_json(returned value), where it is a JSON value; else empty


Message = Run | Journal | Ack | Done | Append | Request | Wait | Unwait | Idle | End

_TYPES: tuple[type[Any], ...] = (Run, Journal, Ack, Done, Append, Request, Wait, Unwait, Idle, End)
_BY_TAG = dict(enumerate(_TYPES))
_TAGS = {cls: tag for tag, cls in _BY_TAG.items()}
_HEADER_FIELDS = {cls: tuple(f.name for f in fields(cls) if f.name != "body") for cls in _TYPES}
_HAS_BODY = {cls: any(f.name == "body" for f in fields(cls)) for cls in _TYPES}


class ProtocolError(Exception):
    """The other side sent something that is no message: a bug, or two versions mixed."""


def encode(message: Message) -> bytes:
    """A message as one frame."""
    cls = type(message)
    header = json.dumps([_TAGS[cls], *(getattr(message, name) for name in _HEADER_FIELDS[cls])]).encode("ascii")
    body: bytes = message.body if _HAS_BODY[cls] else b""  # type: ignore[union-attr]
    return b"%b%b%b" % (_LENGTHS.pack(len(header), len(body)), header, body)


def decode(header: bytes, body: bytes) -> Message:
    """The message of a frame. Raises ProtocolError."""
    try:
        tag, *values = json.loads(header)
        cls = _BY_TAG[tag]
        message: Message = cls(*values, body) if _HAS_BODY[cls] else cls(*values)
    except (ValueError, TypeError, LookupError, RecursionError) as err:
        # Without what was sent: there may be a secret in it.
        raise ProtocolError(f"an unreadable message of {len(header)} bytes, {type(err).__name__}") from err
    return message


def max_body_bytes(result_bytes: int) -> int:
    """The largest body that a runner may send, by the limit of results; 0 means no limit."""
    return result_bytes + BODY_SLACK_BYTES if result_bytes else _NO_LIMIT


#: No body is larger: its length has 32 bits.
_NO_LIMIT: Final = 2**32 - 1


class FrameReader:
    """Cuts a stream of bytes into messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self.max_body_bytes = _NO_LIMIT

    def feed(self, data: bytes) -> None:
        """Add what has arrived."""
        self._buffer += data

    def next(self) -> Message | None:
        """The next whole message, or None until more has been fed. Raises ProtocolError, before it is all there."""
        buffer = self._buffer
        if len(buffer) < _LENGTHS.size:
            return None
        header_size, body_size = _LENGTHS.unpack_from(buffer)
        if header_size > MAX_HEADER_BYTES or body_size > self.max_body_bytes:
            raise ProtocolError(f"a message with a header of {header_size:,} and a body of {body_size:,} bytes")
        middle = _LENGTHS.size + header_size
        end = middle + body_size
        if len(buffer) < end:
            return None
        message = decode(bytes(buffer[_LENGTHS.size : middle]), bytes(buffer[middle:end]))
        del buffer[:end]
        return message


class Connection:
    """Messages over a connected stream socket. One thread at a time may receive; sending is up to the caller."""

    def __init__(self, sock: socket.socket) -> None:
        self.socket = sock
        self._reader = FrameReader()

    def fileno(self) -> int:
        return self.socket.fileno()

    def limit_body(self, max_bytes: int) -> None:
        """Have larger bodies be no message."""
        self._reader.max_body_bytes = max_bytes

    def send(self, message: Message) -> None:
        """Send all of it. Raises OSError when the other side has gone."""
        self.socket.sendall(encode(message))

    def buffered(self) -> Message | None:
        """A message that has arrived already, without touching the socket. Raises ProtocolError."""
        return self._reader.next()

    def receive(self) -> Message | None:
        """Wait for the next message; None when the other side has closed. Raises OSError, ProtocolError."""
        while (message := self._reader.next()) is None:
            if not self.fill():
                return None
        return message

    def fill(self) -> bool:
        """Read once from the socket, blocking; False at its end."""
        data = self.socket.recv(1 << 18)
        self._reader.feed(data)
        return bool(data)

    def close(self) -> None:
        self.socket.close()


def cut_payloads(sizes: Iterable[int], body: bytes) -> Iterator[bytes]:
    """The payloads that follow one another in a body."""
    start = 0
    for size in sizes:
        yield body[start : start + size]
        start += size


# --- JSON values that may hold bytes ---------------------------------------------------------------------------------
#
# Bytes become {"$bytes": base64}, integers of more digits than Python converts {"$int": hexadecimal}; a dict of the
# user's whose only key begins with "$" is wrapped in {"$dict": ...}, so that it cannot be taken for one of ours.

#: Integers up to here have fewer digits than any limit that Python can be given.
_LARGE_INT_BITS: Final = 2048


def dump_json(value: Any) -> str:
    """A JSON value, in which bytes may occur, as text. Raises TypeError or ValueError for anything else."""
    try:
        text = _dumps(value)
        return _dumps(_escape(value)) if '"$' in text else text
    except ValueError:  # perhaps because of a large integer; if not, it is raised again
        pass
    except RecursionError:
        raise ValueError("nested too deeply") from None
    try:
        return _dumps(_escape(value))
    except RecursionError:
        raise ValueError("contains itself, or is nested too deeply") from None


def _dumps(value: Any) -> str:
    return json.dumps(value, default=_tag_bytes, separators=(",", ":"), allow_nan=False)


def load_json(text: str | bytes) -> Any:
    """The value that `dump_json` was given. Raises ValueError."""
    marker = '"$' if isinstance(text, str) else b'"$'
    value = json.loads(text)
    return _unescape(value) if marker in text else value  # type: ignore[operator]


def _tag_bytes(value: Any) -> Any:
    if isinstance(value, bytes | bytearray | memoryview):
        return {"$bytes": base64.b64encode(bytes(value)).decode("ascii")}
    raise TypeError(f"{type(value).__qualname__} is not a JSON value")


def _escape(value: Any) -> Any:
    if isinstance(value, dict):
        escaped = {key: _escape(item) for key, item in value.items()}
        return {"$dict": escaped} if _looks_tagged(escaped) else escaped
    if isinstance(value, list | tuple):
        return [_escape(item) for item in value]
    if isinstance(value, int) and value.bit_length() > _LARGE_INT_BITS:
        return {"$int": f"{int(value):x}"}
    return _tag_bytes(value) if isinstance(value, bytes | bytearray | memoryview) else value


def _unescape(value: Any) -> Any:
    if isinstance(value, list):
        return [_unescape(item) for item in value]
    if not isinstance(value, dict):
        return value
    if _looks_tagged(value):
        ((tag, item),) = value.items()
        if tag == "$bytes":
            return base64.b64decode(item)
        if tag == "$int":
            return int(item, 16)
        if tag == "$dict":
            return {key: _unescape(inner) for key, inner in item.items()}
    return {key: _unescape(item) for key, item in value.items()}


def _looks_tagged(value: dict[Any, Any]) -> bool:
    return len(value) == 1 and str(next(iter(value))).startswith("$")
