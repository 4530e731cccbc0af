"""A result that cannot be recorded is an error that says which part of it, and what to do; copyreg mends it."""

# /// session
# prints = '''
# program.connect returned a program.Client, which can't be recorded: .session.lock (_thread.lock): cannot pickle '_thread.lock' object.
# remedy: True
# program.numbers returned a generator, which can't be recorded: the value itself (generator): cannot pickle 'generator' object.
# a list: ['fn'][1] True
# with copyreg: 5
# cannot be unpickled: UnpicklableResultError
# errors too: UnpicklableResultError
# in an activity: 1
# '''
# not_in = { plain = "nothing is recorded there" }
# ///

import copyreg
import threading

from autokitteh import activity
from autokitteh.errors import UnpicklableResultError


class Session:
    def __init__(self):
        self.lock = threading.Lock()


class Client:
    def __init__(self):
        self.name = "client"
        self.session = Session()


class Handle:
    def __init__(self, number):
        self.number = number
        self.lock = threading.Lock()


class OneWay:
    def __reduce__(self):
        return (int, ("not a number",))


copyreg.pickle(Handle, lambda handle: (Handle, (handle.number,)))


@activity
def connect():
    return Client()


@activity
def numbers():
    return (n for n in range(3))


@activity
def mixed():
    return {"fn": [1, lambda: None]}


@activity
def open_handle(number):
    return Handle(number)


@activity
def one_way():
    return OneWay()


@activity
def raise_local():
    class LocalError(Exception):
        pass

    raise LocalError


@activity
def use():
    return [Client()].index(next(iter([Client()]))) if False else len([Client()])


def failing(fn):
    try:
        fn()
    except UnpicklableResultError as err:
        return str(err)
    return "no error"


def on_trigger(event):
    text = failing(connect)
    print(text.partition(" Use it")[0])
    print("remedy:", "return plain data instead" in text)
    print(failing(numbers).partition(" Use it")[0])
    print("a list: ['fn'][1]", "['fn'][1]" in failing(mixed))
    print("with copyreg:", open_handle(5).number)
    try:
        one_way()
    except UnpicklableResultError as err:
        print("cannot be unpickled:", type(err).__name__)
    try:
        raise_local()
    except UnpicklableResultError as err:
        print("errors too:", type(err).__name__)
    print("in an activity:", use())
