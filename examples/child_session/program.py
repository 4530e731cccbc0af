from autokitteh import next_signal, start


def on_order(event):
    """Have a session of its own for each item, and wait for all of them."""
    items = event.data.body.json["items"]
    children = [start("program.py:pack", {"item": item}, memo={"item": item}) for item in items]
    for _ in children:
        end = next_signal(children)
        print(end.payload.value)


def pack(event):
    """What is returned goes to the parent, with the signal of the child's end."""
    return f"packed {event.data.item}"
