"""The event's data by attribute, by key, and as plain values."""

# /// session
# data = { name = "Ann", address = { city = "Oslo", zip = [1, 2] }, items = [{ n = 1 }, { n = 2 }] }
# prints = '''
# Ann Ann Ann None fallback
# Oslo Oslo 2
# [1, 2] {'n': 2}
# ['address', 'items', 'name'] True False
# {"name": "Ann"} dict
# AttributeError KeyError
# ses_ True None None
# '''
# ///

import json

from autokitteh import Event


def on_trigger(event: Event):
    data = event.data
    print(data.name, data["name"], event["data"]["name"], data.get("other"), data.get("other", "fallback"))
    print(data.address.city, data["address"]["city"], data.address.zip[1])
    print([item.n for item in data["items"]], data["items"][1])
    print(sorted(data), "name" in data, "other" in data)
    print(json.dumps({"name": data.name}), type(json.loads(json.dumps(data))).__name__)
    errors = []
    for look in (lambda: data.other, lambda: data["other"]):
        try:
            look()
        except (AttributeError, KeyError) as err:
            errors.append(type(err).__name__)
    print(*errors)
    print(event.session_id[:4], event.session_id == event["session_id"], event.event_id, event.event_type)
