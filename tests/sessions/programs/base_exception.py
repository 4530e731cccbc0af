"""Code that catches BaseException does not catch what is none of its business."""

# /// session
# prints = '''
# slept 0
# slept 1
# added 2
# caught KeyboardInterrupt
# caught GeneratorExit
# [1, 2]
# '''
# not_in = { plain = "the store counts up" }
# ///

from time import sleep

import autokitteh
from autokitteh import activity


@activity
def interrupt():
    raise KeyboardInterrupt("from within")


def stopping():
    try:
        yield 1
    except BaseException as err:
        autokitteh.set_value("stopped", type(err).__name__)
        raise


def on_trigger(event):
    for number in range(2):
        try:
            sleep(0.03)
            print("slept", number)
        except BaseException as err:
            print("never", err)
        except:
            print("never")
    try:
        autokitteh.del_value("n")
        print("added", autokitteh.add_values("n", 2))
    except BaseException as err:
        print("never", err)
    try:
        interrupt()
    except BaseException as err:
        print("caught", type(err).__name__)
    generator = stopping()
    next(generator)
    generator.close()
    print("caught", autokitteh.get_value("stopped"))
    found = []
    for item in (1, 2):
        try:
            sleep(0)
        finally:
            found.append(item)
    print(found)
