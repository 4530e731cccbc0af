from math import pi

from late_constants import DIGITS

print("loading circle")

NAME = "circle"


def area(radius):
    return rounded(pi * radius**2)


def rounded(value):
    from ..rounding import to_digits

    return to_digits(value, DIGITS)
