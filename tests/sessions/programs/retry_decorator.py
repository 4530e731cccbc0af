"""A retrying decorator of one's own, as tenacity has it, around an activity that fails at first."""

# /// session
# not_in = { killed = "what is counted outside the session counts repetitions", runner-killed = "likewise" }
# prints = '''
# failed attempt 1: not yet 1
# failed attempt 2: not yet 2
# done after 3
# '''
# ///

import functools
from time import sleep

import autokitteh
from autokitteh import activity


def retry(attempts, delay):
    def decorate(fn):
        @functools.wraps(fn)
        def wrapper(*args, **kwargs):
            for attempt in range(1, attempts + 1):
                try:
                    return fn(*args, **kwargs)
                except ConnectionError as err:
                    print(f"failed attempt {attempt}: {err}")
                    sleep(delay)
            raise TimeoutError("all attempts used")

        return wrapper

    return decorate


@retry(attempts=5, delay=0.01)
@activity
def flaky(fail_until):
    count = autokitteh.add_values("calls", 1)
    if count < fail_until:
        raise ConnectionError(f"not yet {count}")
    return count


def on_trigger(event):
    autokitteh.del_value("calls")
    print("done after", flaky(3))
