"""Counts slowly. Kill it at any moment and start it again: it goes on counting."""

from os import getenv
from time import sleep

# Statements of the module run at every start of the process, so this is read again after a crash.
N = int(getenv("N"))
T = float(getenv("T"))


def on_trigger(_):
    for i in range(N):
        print(i)
        # A sleep is a row in the database and not a process that waits. After a crash only the rest of it is slept.
        sleep(T)
