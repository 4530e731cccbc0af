"""inhibit_activities and register_no_activity: calls that are made again in each replay."""

# /// session
# prints = '''
# inhibited: [1, 2] True
# effects inside: 5
# registered: 2 x
# a class and its methods: 7
# '''
# not_in = { plain = "the store counts up" }
# ///

import os
import xmlrpc.client

import autokitteh
from autokitteh import activity, inhibit_activities, register_no_activity


@activity
def record(value):
    return repr(value)


@inhibit_activities
def set_up():
    made = os.stat("/")
    items = [1]
    items.append(len(items) + 1)
    return items, made.st_mode > 0, made


@inhibit_activities
def with_effects():
    autokitteh.set_value("inside", 5)
    return autokitteh.get_value("inside")


register_no_activity([os.path.exists, xmlrpc.client.Binary])


def on_trigger(event):
    items, ok, made = set_up()
    record("x")
    print("inhibited:", items, ok and made is not None)
    print("effects inside:", with_effects())
    print("registered:", os.path.exists("/") + 1, record("x").strip("'"))
    binary = xmlrpc.client.Binary(b"1234567")
    print("a class and its methods:", len(binary.data))
