from datetime import timedelta

from autokitteh import next_event, subscribe, unsubscribe


def on_begin(_):
    """Receive what comes to the other webhook, some of it, and some time."""
    looks = subscribe("bell", "data.method == 'GET' && data.url.path.endsWith('/ring')")
    print("waiting for somebody to look")
    first = next_event(looks)
    print("somebody looked at", first.url.path_suffix)

    sends = subscribe("bell", "data.method == 'POST' && data.url.path.endsWith('/ring')")
    print("waiting a minute for anything")
    second = next_event(looks, sends, timeout=timedelta(minutes=1))
    print("nothing came" if second is None else f"got a {second.method} with {second.body.text!r}")

    print("and a moment more")
    third = next_event(looks, sends, timeout=0.1)
    print("nothing came" if third is None else f"got a {third.method}")

    # Both would end with the session anyway.
    unsubscribe(looks)
    unsubscribe(sends)
