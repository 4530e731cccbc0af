from .rounding import to_digits


def area(side):
    return to_digits(side * side, 0)
