"""Children that are started once, signals to and from them, and their ends."""

# /// session
# sweep = ["turn.after_commit", "turn.after_ack"]
# prints = '''
# hello from child 0
# hello from child 1
# child 0: {'completed': True, 'value': {'doubled': 0}}
# child 1: {'completed': True, 'value': {'doubled': 2}}
# failed: {'completed': False}
# nothing came
# nobody: AutoKittehError
# started: 3
# '''
# not_in = { plain = "next_signal needs a durable session" }
# ///

import autokitteh
from autokitteh import add_values, next_signal, set_value, signal, start


def on_trigger(event):
    set_value("started", 0)
    children = [start("program.py:child", {"number": n, "parent": event.session_id}) for n in range(2)]
    hellos = sorted(next_signal("hello").payload for _ in children)
    for hello in hellos:
        print(hello)
    for child in children:
        signal(child, "go", {"factor": 2})
    for number, child in enumerate(children):
        ended = next_signal(child)
        print(f"child {number}: {ended.payload}")
    failing = start("program.py:failing")
    print("failed:", next_signal([failing, "never"]).payload)
    if next_signal("never", timeout=0.05) is None:
        print("nothing came")
    try:
        signal("ses_none", "hello")
    except autokitteh.AutoKittehError as err:
        print("nobody:", type(err).__name__)
    print("started:", autokitteh.get_value("started"))


def child(event):
    add_values("started", 1)
    signal(event.data.parent, "hello", f"hello from child {event.data.number}")
    go = next_signal(["go", "stop"])
    return {"doubled": event.data.number * go.payload.factor}


def failing(event):
    add_values("started", 1)
    raise RuntimeError("as it should")
