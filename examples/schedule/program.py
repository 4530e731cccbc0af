from autokitteh import add_values, get_value


def on_tick():
    """A handler may leave the event out: a tick has nothing to tell."""
    print("tick", add_values("ticks", 1))


def on_morning():
    """On working days at nine, in Berlin."""
    print("good morning, after", get_value("ticks"), "ticks")
