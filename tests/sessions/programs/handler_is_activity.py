"""A handler that is marked as an activity is one activity as a whole, in which anything may be done."""

# /// session
# prints = '''
# read 0
# slept
# '''
# not_in = { killed = "it prints, and is repeated", runner-killed = "likewise" }
# ///

import os
import time

from autokitteh import activity


@activity
def on_trigger(event):
    with open(os.devnull) as file:
        print("read", len(file.read()))
    time.sleep(0.001)
    print("slept")
    return {"done": True}
