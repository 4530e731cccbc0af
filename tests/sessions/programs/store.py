"""Every operation of the store is done exactly once."""

# /// session
# prints = '''
# None True
# 1 2 3 4 5
# 12.5
# {'a': [1, None, 'x']} b'bytes'
# False True swapped
# ['count', 'json', 'raw', 'sum']
# TypeError: True
# 11 mapping True
# None KeyError
# big: 100000000000000000000
# '''
#
# [not_in]
# plain = "the values of the durable run are there"
# killed-later = "an activity that asks the server for something would be killed each time before its end"
# ///

import autokitteh
from autokitteh import activity, add_values, check_and_set_value, del_value, get_value, list_values_keys, set_value
from autokitteh import store


@activity
def add_in_activity(key):
    return get_value(key)


def on_trigger(event):
    store.clear()
    print(get_value("count"), list_values_keys() == [])
    print(*(add_values("count", 1) for _ in range(5)))
    set_value("sum", 10)
    print(add_values("sum", 2.5))
    set_value("json", {"a": [1, None, "x"]})
    set_value("raw", b"bytes")
    print(get_value("json"), get_value("raw"))
    set_value("lock", "free")
    print(check_and_set_value("lock", "taken", "x"), check_and_set_value("lock", "free", "swapped"), get_value("lock"))
    del_value("lock")
    del_value("lock")
    print(list_values_keys())
    try:
        add_values("json", 1)
    except TypeError as err:
        print("TypeError:", bool(str(err)))
    store["count"] = store["count"] + 6
    print(add_in_activity("count"), "mapping", "count" in store)
    try:
        store["missing"]
    except KeyError as err:
        print(store.get("missing"), type(err).__name__)
    set_value("big", 10**20 - 1)
    print("big:", autokitteh.mutate_value("big", "add", 1))
