from autokitteh import add_values, check_and_set_value, http_outcome, publish_value, set_value


def on_visit(event):
    """Count visitors, remember who was the first, and let the world know the last."""
    name = event.data.body.text
    number = add_values("visitors", 1)
    was_first = check_and_set_value("first", None, name)
    set_value("last", {"name": name, "number": number})
    url = publish_value("last")
    greeting = "you are the first" if was_first else f"you are number {number}"
    http_outcome(body=f"Welcome {name}, {greeting}. See {url}\n")
