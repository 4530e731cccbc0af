"""A session that starts others, tells them what to do, and gathers what they return."""

import autokitteh


def on_trigger(event):
    words = event.data.get("words", ["kitten", "cat", "tiger"])
    # Each child is a session of its own, in a process of its own.
    children = [autokitteh.start("program.py:count_letters", {"word": word}) for word in words]
    for child in children:
        autokitteh.signal(child, "go")

    lengths = {}
    while len(lengths) < len(children):
        # The end of a child is a signal named by its id. They come in any order.
        ended = autokitteh.next_signal(children)
        lengths[ended.name] = ended.payload.value
    for word, child in zip(words, children, strict=True):
        print(f"{word}: {lengths[child]} letters")


def count_letters(event):
    autokitteh.next_signal("go")
    return len(event.data.word)
