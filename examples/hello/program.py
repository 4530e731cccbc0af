"""The smallest useful project: a handler, an event and a var."""

import os


def on_trigger(event):
    name = event.data.get("name", "world")
    print(f"{os.getenv('GREETING')}, {name}!")
