"""A set of strings is iterated in the same order after a crash, and what is done in that order as well."""

# /// session
# prints = '''
# the same: True
# the same: True
# '''
# ///

import os

from autokitteh import activity

NAMES = {f"name-{n}" for n in range(30)}


@activity
def record(value):
    return repr(value)


def on_trigger(event):
    order = list(NAMES)
    kept = record(order)
    done = [record(name) for name in {"ann", "bob", "eve", "joe", "zoe"}]
    print("the same:", kept == repr(list(NAMES)))
    kept = record(done)
    os.path.exists("/")
    print("the same:", kept == repr(done))
