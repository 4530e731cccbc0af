"""An exception that nobody catches ends the session, with the code's own traceback."""

# /// session
# state = "ERROR"
# error = [
#     'File "program.py", line 25, in on_trigger',
#     "ValueError: no such thing",
# ]
# not_in = { plain = "its traceback is looked at only in durable sessions" }
# prints = '''
# before
# '''
# ///

from autokitteh import activity


@activity
def fail():
    raise ValueError("no such thing")


def on_trigger(event):
    print("before")
    fail()
    print("never")
