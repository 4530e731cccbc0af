"""sys.exit ends the session: with 0 it is completed, otherwise it has failed."""

# /// session
# state = "COMPLETED"
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
        sys.exit(0)
    except Exception:
        print("never: SystemExit is no Exception")
