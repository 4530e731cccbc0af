"""Prints, with and without a newline, at module level and in activities; logging, warnings, standard input."""

# /// session
# prints = '''
# at module level
# one two
# three
#
# to stderr
# in an activity
# bytes
# stdin: ''
# a|b
# no newline at the end
# '''
# not_in = { killed = "an activity that is repeated prints again", runner-killed = "likewise" }
# ///

import logging
import sys
import warnings

from autokitteh import activity

print("at module level")

logger = logging.getLogger("mine")


@activity
def talk():
    print("in an activity")
    logging.getLogger("mine").info("logged in an activity")


def on_trigger(event):
    print("one", end=" ")
    logger.info("logged %s", "once")
    print("two\nthree")
    print()
    print("to stderr", file=sys.stderr)
    talk()
    sys.stdout.buffer.write(b"bytes\n")
    sys.stdout.flush()
    logging.warning("the root logger")
    warnings.warn("a warning of the code's own")
    logger.debug("never shown")
    print("stdin:", repr(sys.stdin.read()))
    print("a", "b", sep="|")
    print("no newline at the end", end="")
