"""Packages with __init__, relative imports, and modules that a function imports when it runs."""

# /// session
# prints = '''
# loading shapes
# loading circle
# loading program
# area: 78.54
# loading late
# late: True 42
# by importlib: square 9
# attribute of a package: circle
# again: 42
# '''
# ///

import importlib

from shapes import area_of_circle
from shapes.round import circle

print("loading program")


def on_trigger(event):
    print("area:", area_of_circle(5))

    from late import answer, record

    print("late:", record("x") == "recorded x", answer())
    square = importlib.import_module("shapes.square")
    print("by importlib:", square.__name__.rpartition(".")[2], square.area(3))
    print("attribute of a package:", circle.NAME)
    import late

    print("again:", late.answer())
