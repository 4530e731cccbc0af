"""An activity that returns its argument, or part of it, gives that very object, in replay as well."""

# /// session
# prints = '''
# True True True
# [1, 'in place'] [1, 'in place']
# True {'price': 2}
# copy: False [0]
# new part: True ['new']
# tuple: True
# '''
# ///

from autokitteh import activity


@activity
def same(value):
    return value


@activity
def part(order):
    return order["lines"][1]


@activity
def copied(value):
    return list(value)


@activity
def added(order):
    order["extra"] = ["new"]
    return order["extra"]


@activity
def pair(left, right):
    return (left, right)


def on_trigger(event):
    numbers = [1]
    again = same(numbers)
    order = {"lines": [{"price": 1}, {"price": 2}]}
    line = part(order)
    print(again is numbers, line is order["lines"][1], same(order) is order)
    again.append("in place")
    print(numbers, again)
    line["seen"] = True
    print(order["lines"][1]["seen"], same({"price": 2}))
    zeros = [0]
    print("copy:", copied(zeros) is zeros, copied(zeros))
    new = added(order)
    print("new part:", order["extra"] is new, new)
    left, right = pair(numbers, order)
    print("tuple:", (left, right) == (numbers, order))
