"""open() in a handler fails at once, and the error says what to do."""

# /// session
# state = "ERROR"
# error = [
#     'File "program.py", line 21, in on_trigger',
#     "UnpicklableResultError: open returned a _io.TextIOWrapper, which can't be recorded",
#     "marked @autokitteh.activity",
# ]
# prints = '''
# before
# '''
# not_in = { plain = "there it is an ordinary file" }
# ///

import os


def on_trigger(event):
    print("before")
    with open(os.devnull) as file:
        print(file.read())
