"""What a handler may look like, and what it is handed."""

import pytest

from harness import Bench

PROGRAM = """
import functools
from autokitteh import Event, activity, inhibit_activities

def nothing():
    print("nothing")

def event_only(event):
    print(type(event).__name__, event.data.x)

def unused(_):
    print("unused")

def typed(event: Event) -> None:
    print(type(event).__name__)

def both(event, session_id):
    print(event.data.x, session_id == event.session_id, session_id[:4])

def with_default(event=None):
    print(event is not None)

def with_options(event, retries=3, session_id="none"):
    print(event.data.x, retries, session_id)

def keyword_only(event, *, verbose=False):
    print(event.data.x, verbose)

def starred(*args):
    print(len(args), args[0].data.x)

async def coroutine(event):
    print("coroutine", event.data.x)

async def no_arguments():
    print("coroutine of nothing")

@activity
def marked(event):
    print("marked", event.data.x)

@activity
async def marked_coroutine(event):
    print("marked coroutine", event.data.x)

@inhibit_activities
def inhibited(event):
    print("inhibited", event.data.x)

def decorate(fn):
    @functools.wraps(fn)
    def wrapper(*args, **kwargs):
        print("wrapped")
        return fn(*args, **kwargs)
    return wrapper

@decorate
def decorated(event):
    print(event.data.x)

class Handler:
    def __call__(self, event):
        print("instance", event.data.x)

    def method(self, event, session_id):
        print("method", event.data.x, session_id == event.session_id)

    @staticmethod
    def static(event):
        print("static", event.data.x)

instance = Handler()
bound = Handler().method
static = Handler.static
partial = functools.partial(event_only)
lambda_ = lambda event: print("lambda", event.data.x)

def generator(event):
    print("never")
    yield 1

async def async_generator(event):
    print("never")
    yield 1
"""

HANDLERS = {
    "nothing": ["nothing"],
    "event_only": ["Event 1"],
    "unused": ["unused"],
    "typed": ["Event"],
    "both": ["1 True ses_"],
    "with_default": ["True"],
    "with_options": ["1 3 none"],
    "keyword_only": ["1 False"],
    "starred": ["1 1"],
    "coroutine": ["coroutine 1"],
    "no_arguments": ["coroutine of nothing"],
    "marked": ["marked 1"],
    "marked_coroutine": ["marked coroutine 1"],
    "inhibited": ["inhibited 1"],
    "decorated": ["wrapped", "1"],
    "instance": ["instance 1"],
    "bound": ["method 1 True"],
    "static": ["static 1"],
    "partial": ["Event 1"],
    "lambda_": ["lambda 1"],
}


@pytest.mark.parametrize("name", HANDLERS)
@pytest.mark.parametrize("way", ["durable", "evicted", "plain"])
def test_forms_of_handlers(name: str, way: str, durable: Bench, evicting: Bench) -> None:
    """Functions, coroutines, marked and wrapped ones, and objects that can be called get what they accept."""
    bench = evicting if way == "evicted" else durable
    result = bench.wait(bench.submit(PROGRAM, f"program.py:{name}", data={"x": 1}, durable=way != "plain").id)
    assert (result.state, result.prints) == ("COMPLETED", HANDLERS[name]), result.error


@pytest.mark.parametrize("name", ["generator", "async_generator"])
@pytest.mark.parametrize("way", ["durable", "plain"])
def test_a_generator_is_no_handler(name: str, way: str, durable: Bench) -> None:
    """A call of a function with a yield in it runs nothing: the session fails, and says so."""
    result = durable.wait(durable.submit(PROGRAM, f"program.py:{name}", durable=way == "durable").id)
    assert (result.state, result.prints) == ("ERROR", [])
    assert f"TypeError: {name} in program.py has a yield in it" in result.error


@pytest.mark.parametrize(
    ("returned", "kept"),
    [
        ("None", None),
        ("5", 5),
        ("{'a': [1, 2.5, None, True, 'x']}", {"a": [1, 2.5, None, True, "x"]}),
        ("b'bytes'", b"bytes"),
        ("(1, 2)", [1, 2]),
    ],
)
def test_what_a_handler_returns_is_kept(durable: Bench, returned: str, kept: object) -> None:
    """A JSON value, or bytes, is the session's result."""
    result = durable.wait(durable.submit(f"def on_trigger(event):\n    return {returned}\n").id)
    assert (result.state, result.session.result, result.warnings) == ("COMPLETED", kept, [])


@pytest.mark.parametrize("way", ["durable", "plain"])
def test_what_cannot_be_kept_is_warned_about(durable: Bench, way: str) -> None:
    """A returned value that is not JSON does not fail the session, but is not kept."""
    program = "def on_trigger(event):\n    return {'when': {1, 2}}\n"
    result = durable.wait(durable.submit(program, durable=way == "durable").id)
    assert (result.state, result.session.result) == ("COMPLETED", None)
    [warning] = result.warnings
    assert "the returned value" in warning
