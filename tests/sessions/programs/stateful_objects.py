"""Objects of the standard library that keep state: parsers, buffers, iterators, counters, queues, regular expressions."""

# /// session
# prints = '''
# parser: v2 ['a']
# buffer: onetwo 6
# iterator: [2, 3]
# counter: Counter({'x': 3, 'y': 1})
# ordered: ['b', 'a']
# default: {'k': [1]}
# queue: 2 1
# heap: [1, 3]
# csv: ['a,b', '1,2']
# matches: ['1', '22']
# decimal: 0.10 dates: 2024-02-29
# template: hello Ann
# user: {'n': 1} [1, 2]
# hash: 900150983cd2
# count: 0 1 2
# '''
# ///

import configparser
import csv
import hashlib
import heapq
import io
import itertools
import queue
import re
import string
from collections import Counter, OrderedDict, UserDict, UserList, defaultdict
from datetime import date, timedelta
from decimal import Decimal

from autokitteh import activity


@activity
def change(parser, buffer, counter, ordered, default, user_dict, user_list):
    parser["a"] = {"k": "v2"}
    buffer.write("two")
    counter.update("xy")
    ordered.move_to_end("a")
    default["k"].append(1)
    user_dict["n"] = 1
    user_list.append(2)


def on_trigger(event):
    parser, buffer, counter = configparser.ConfigParser(), io.StringIO(), Counter("xx")
    ordered, default = OrderedDict(a=1, b=2), defaultdict(list)
    user_dict, user_list = UserDict(), UserList([1])
    buffer.write("one")
    change(parser, buffer, counter, ordered, default, user_dict, user_list)
    print("parser:", parser.get("a", "k"), parser.sections())
    print("buffer:", buffer.getvalue(), buffer.tell())
    items = iter([1, 2, 3])
    next(items)
    print("iterator:", list(items))
    print("counter:", counter)
    print("ordered:", list(ordered))
    print("default:", dict(default))
    waiting = queue.Queue()
    waiting.put(1)
    waiting.put(2)
    print("queue:", waiting.qsize(), waiting.get())
    heap = [3]
    heapq.heappush(heap, 1)
    print("heap:", heap)
    text = io.StringIO()
    csv.writer(text).writerows([["a", "b"], [1, 2]])
    print("csv:", text.getvalue().split())
    print("matches:", re.findall(r"\d+", "a1b22"))
    print("decimal:", Decimal("0.10"), "dates:", date(2024, 2, 28) + timedelta(days=1))
    print("template:", string.Template("hello $name").substitute(name="Ann"))
    print("user:", user_dict, user_list)
    print("hash:", hashlib.md5(b"abc").hexdigest()[:12])
    numbers = itertools.count()
    print("count:", next(numbers), next(numbers), next(numbers))
