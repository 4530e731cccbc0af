"""Outcomes, plain and of HTTP, and what they refuse."""

# /// session
# prints = '''
# ValueError
# TypeError: True
# done
# '''
# ///

import autokitteh
from autokitteh import http_outcome, outcome


def on_trigger(event):
    outcome({"step": 1})
    outcome("text")
    http_outcome(201, json={"a": 1}, headers={"X-A": "b"}, more=True)
    http_outcome(body=b"bytes")
    try:
        http_outcome(body="a", json={"b": 1})
    except ValueError as err:
        print(type(err).__name__)
    try:
        autokitteh.outcome({"set": {1, 2}})
    except TypeError as err:
        print("TypeError:", bool(str(err)))
    print("done")
    return {"returned": [1, 2]}
