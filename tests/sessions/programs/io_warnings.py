"""Input and output outside activities is warned about, once for each line; what Python itself reads is not."""

# /// session
# warnings = ["opens a file outside an activity", "reads a folder outside an activity"]
# prints = '''
# 3 True
# '''
# not_in = { plain = "there is no difference" }
# ///

import os
import pathlib
from datetime import datetime
from time import sleep
from zoneinfo import ZoneInfo

import autokitteh
from autokitteh import activity


@activity
def read():
    return len(os.listdir("/")) and pathlib.Path(os.devnull).read_bytes()


autokitteh.register_no_activity([pathlib.Path.read_bytes, os.listdir])


def on_trigger(event):
    read()
    times = 0
    for _ in range(3):
        pathlib.Path(os.devnull).read_bytes()
        times += 1
        sleep(0.001)
    found = os.listdir("/")
    import json.tool

    assert json.tool
    print(times, bool(found) and datetime(2024, 1, 1, tzinfo=ZoneInfo("Europe/Oslo")).utcoffset().seconds == 3600)
