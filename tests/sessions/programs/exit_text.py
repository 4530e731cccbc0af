"""sys.exit ends the session: with 0 it is completed, otherwise it has failed."""

# /// session
# state = "ERROR"
# error = ["no more work"]
# prints = '''
# before
# '''
# ///

import sys
from time import sleep


def on_trigger(event):
    sleep(0.03)
    try:
        print("before")
        sys.exit("no more work")
    except Exception:
        print("never: SystemExit is no Exception")
