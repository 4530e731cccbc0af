"""What the clock, the environment and generators of ids said once, they have said."""

# /// session
# vars = { GREETING = "hello" }
# prints = '''
# hello True True hello
# hello hello hello hello None fallback
# the same: True
# the same: True
# in order: True
# '''
# ///

import os
import time
import uuid
from datetime import date, datetime, timezone
from os import getenv

from autokitteh import activity


@activity
def record(value):
    return repr(value)


class Stamp(datetime):
    pass


def on_trigger(event):
    read = [getenv("GREETING"), os.getenv("GREETING"), os.environ["GREETING"], os.environ.get("GREETING")]
    found = [dict(os.environ.items())["GREETING"], "GREETING" in os.environ.keys(), read[0] in os.environ.values()]
    print(*found, os.environ.copy()["GREETING"])
    print(*read, getenv("NOT_THERE"), getenv("NOT_THERE", "fallback"))
    noted = [time.time(), datetime.now(), datetime.now(timezone.utc), Stamp.now(), date.today(), time.monotonic()]
    noted += [uuid.uuid4(), uuid.uuid1(), os.urandom(8), os.getpid(), id(read), time.localtime()]
    kept = record(noted)
    print("the same:", kept == repr(noted))
    started = time.perf_counter()
    kept = record(started)
    time.sleep(0.03)
    print("the same:", kept == repr(started))
    print("in order:", time.time() > noted[0])
