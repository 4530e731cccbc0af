import os

from autokitteh import activity

print("loading late")


@activity
def record(value):
    return f"recorded {value}"


def answer():
    return 42 if os.path.exists("/") else 0
