"""What an activity changes in its arguments stays changed, and every other reference to it stays right."""

# /// session
# sweep = ["turn.before_commit", "turn.after_commit", "turn.after_ack"]
# prints = '''
# [1, 2, 3] 3
# {'a': {'b': [1]}, 'n': 1} [1]
# True [5, 6] [5, 6]
# Ann 2 ['x', 'y']
# {1, 2} bytearray(b'ab') deque([1, 2])
# True True ['shared', 'more']
# [] {}
# raised after a change: [1, 'changed']
# [[...], 1]
# '''
# ///

from collections import deque

from autokitteh import activity


class Person:
    def __init__(self, name):
        self.name = name
        self.visits = 0
        self.tags = []

    @activity
    def visit(self, *tags):
        self.visits += len(tags)
        self.tags.extend(tags)

    @property
    def shown(self):
        return f"{self.name} {self.visits} {self.tags}"


class Slotted:
    __slots__ = ("inner", "value")

    def __init__(self, inner):
        self.inner = inner
        self.value = 0


@activity
def append(items, item):
    items.append(item)
    return len(items)


@activity
def nest(tree):
    tree["a"]["b"].append(1)
    tree["n"] = 1


@activity
def fill(slotted, new):
    slotted.value = new
    slotted.inner.extend(new)


@activity
def fill_others(a_set, a_bytearray, a_deque):
    a_set.update({1, 2})
    a_bytearray += b"ab"
    a_deque.extend([1, 2])


@activity
def share(left, right):
    left.append("shared")
    right.append("more")


@activity
def empty(items, table):
    items.clear()
    table.clear()


@activity
def change_and_raise(items):
    items.append("changed")
    raise ValueError("after a change")


@activity
def contain_itself(items):
    items.insert(0, items)


def on_trigger(event):
    items = [1, 2]
    length = append(items, 3)
    print(items, length)

    tree = {"a": {"b": []}}
    leaf = tree["a"]["b"]
    nest(tree)
    print(tree, leaf)

    slotted = Slotted([])
    inner = slotted.inner
    fill(slotted, [5, 6])
    print(inner is slotted.inner, inner, slotted.value)

    ann = Person("Ann")
    ann.visit("x", "y")
    print(ann.shown)

    a_set, a_bytearray, a_deque = set(), bytearray(), deque()
    fill_others(a_set, a_bytearray, a_deque)
    print(a_set, a_bytearray, a_deque)

    one = []
    holder = {"one": one}
    share(one, holder["one"])
    print(holder["one"] is one, len(one) == 2, one)

    table = {"k": 1}
    empty(items, table)
    print(items, table)

    changed = [1]
    try:
        change_and_raise(changed)
    except ValueError:
        print("raised after a change:", changed)

    loop = [1]
    contain_itself(loop)
    append([], 0)
    print(loop)
