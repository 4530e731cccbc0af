"""input() finds nothing to read."""

# /// session
# state = "ERROR"
# error = ["EOFError"]
# prints = "asking\nyour name: \n"
# ///


def on_trigger(event):
    print("asking")
    print(input("your name: "))
