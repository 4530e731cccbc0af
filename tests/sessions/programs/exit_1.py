"""sys.exit ends the session: with 0 it is completed, otherwise it has failed."""

# /// session
# state = "ERROR"
# error = ["SystemExit: the code called sys.exit(1)"]
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
        sys.exit(1)
    except Exception:
        print("never: SystemExit is no Exception")
