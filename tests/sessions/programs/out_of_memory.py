"""An allocation beyond the limit of memory is an error with its line, in an activity and in workflow code."""

# /// session
# state = "ERROR"
# error = ['File "program.py", line 24, in on_trigger', "MemoryError"]
# prints = '''
# caught MemoryError
# '''
# ///

from autokitteh import activity


@activity
def allocate(count):
    return len(bytearray(count))


def on_trigger(event):
    try:
        allocate(3 * 1024**3)
    except MemoryError as err:
        print("caught", type(err).__name__)
    print(len(bytearray(3 * 1024**3)))
