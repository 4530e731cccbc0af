"""A namedtuple and a class from inside a function work; as the result of an activity they fail at once, and it says why."""

# /// session
# warnings = [
#     "may change its argument 1 (program.Point)",
#     "may change its argument 1 (program.on_trigger.<locals>.Local)",
# ]
# prints = '''
# Point(x=1, y=2) 3
# 7
# UnpicklableResultError: program.make_point returned a program.Point, which can't be recorded
# remedy: True
# '''
# not_in = { plain = "nothing is recorded there" }
# ///

from collections import namedtuple

from autokitteh import activity
from autokitteh.errors import UnpicklableResultError


@activity
def make_point(cls):
    return cls(5, 6)


@activity
def add(point):
    return point.x + point.y


def on_trigger(event):
    Point = namedtuple("Point", "x y")
    point = Point(1, 2)
    print(point, add(point))

    class Local:
        x = 3
        y = 4

    print(add(Local()))
    try:
        make_point(Point)
    except UnpicklableResultError as err:
        print(f"{type(err).__name__}: {str(err).partition(':')[0]}")
        print("remedy:", "objects of classes at the top level" in str(err))
