"""Exceptions that leave an activity are caught by type, with what they carry."""

# /// session
# prints = '''
# RateLimited: slow down 30 {'retry': 30} slow down (after 30 s)
# KeyError 'name' builtin
# cause: ValueError('inner') from RuntimeError('outer')
# no context shown: True
# group: several ['ValueError(1)', 'TypeError(2)']
# caught with except*: [1]
# OSError: 2 gone.txt True
# note: ['a note']
# unpicklable dropped: 503
# decoding: ('utf-8', 0, 1)
# in C: 5 line
# finally
# '''
# ///

import threading

from autokitteh import activity


class RateLimited(Exception):
    def __init__(self, message, *, retry_after):
        super().__init__(message)
        self.retry_after = retry_after
        self.headers = {"retry": retry_after}

    def __str__(self):
        return f"{self.args[0]} (after {self.retry_after} s)"


class HoldsALock(Exception):
    def __init__(self, status):
        super().__init__("busy")
        self.status = status
        self.lock = threading.Lock()


@activity
def limited():
    raise RateLimited("slow down", retry_after=30)


@activity
def look_up(table, key):
    return table[key]


@activity
def chained():
    try:
        raise ValueError("inner")
    except ValueError as err:
        raise RuntimeError("outer") from err


@activity
def without_context():
    try:
        raise ValueError("inner")
    except ValueError:
        raise RuntimeError("outer") from None


@activity
def several():
    raise ExceptionGroup("several", [ValueError(1), TypeError(2)])


@activity
def missing():
    return open("/gone.txt").read()


@activity
def noted():
    error = ValueError("x")
    error.add_note("a note")
    raise error


@activity
def with_lock():
    raise HoldsALock(503)


@activity
def decode():
    return b"\xff".decode()


@activity
def parse():
    compile("line = = 5", "line", "exec")


def on_trigger(event):
    try:
        limited()
    except RateLimited as err:
        print(f"{type(err).__name__}: {err.args[0]} {err.retry_after} {err.headers} {err}")
    try:
        look_up({}, "name")
    except LookupError as err:
        print(type(err).__name__, err, "builtin")
    try:
        chained()
    except RuntimeError as err:
        print(f"cause: {err.__cause__!r} from {err!r}")
    try:
        without_context()
    except RuntimeError as err:
        print("no context shown:", err.__cause__ is None and err.__suppress_context__)
    try:
        several()
    except ExceptionGroup as err:
        print("group:", err.message, [repr(e) for e in err.exceptions])
    try:
        several()
    except* ValueError as err:
        print("caught with except*:", [e.args[0] for e in err.exceptions])
    except* TypeError:
        pass
    try:
        missing()
    except FileNotFoundError as err:
        print("OSError:", err.errno, err.filename.strip("/"), "No such file" in str(err))
    try:
        noted()
    except ValueError as err:
        print("note:", err.__notes__)
    try:
        with_lock()
    except HoldsALock as err:
        print("unpicklable dropped:", err.status)
    try:
        decode()
    except UnicodeDecodeError as err:
        print("decoding:", (err.encoding, err.start, err.end))
    try:
        parse()
    except SyntaxError as err:
        print("in C:", err.offset and 5, err.filename)
    finally:
        print("finally")
