def on_start(event):
    """Started by hand: no trigger calls it."""
    print("Hello, is anybody there?", event.data.get("name", "Nobody"))
