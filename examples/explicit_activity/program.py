"""Work that must be done in one go: open a file, read it, return plain data."""

import json
from pathlib import Path

import autokitteh


def on_trigger(_):
    prices = read_prices("prices.json")
    total = sum(prices.values())
    print(f"{len(prices)} articles, {total:.2f} in total")


# An open file can't be recorded, so `open` and what reads from it belong into one activity. What it returns is
# recorded: after a crash the session goes on with the prices as they were.
@autokitteh.activity
def read_prices(name):
    with (Path(__file__).parent / name).open() as file:
        return json.load(file)
