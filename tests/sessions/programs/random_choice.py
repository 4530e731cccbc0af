"""Objects that were chosen by chance are the very objects, the same ones after a crash."""

# /// session
# prints = '''
# the very object: True
# changed: 1
# three of them: True
# the same: True
# '''
# ///

import random
import secrets

from autokitteh import activity


class Card:
    def __init__(self, number):
        self.number = number
        self.played = 0


@activity
def record(value):
    return repr(value)


def on_trigger(event):
    cards = [Card(n) for n in range(20)]
    card = random.choice(cards)
    print("the very object:", any(card is other for other in cards))
    card.played += 1
    first = record([c.played for c in cards])
    print("changed:", sum(c.played for c in cards))
    hand = random.sample(cards, k=3)
    print("three of them:", all(c in cards for c in hand))
    drawn = [c.number for c in (*hand, *random.choices(cards, k=4))]
    numbers = [random.random(), random.randint(1, 10**9), random.gauss(0, 1), secrets.token_hex(8)]
    second = record((drawn, numbers))
    record("once more")
    print("the same:", first == repr([c.played for c in cards]) and second == repr((drawn, numbers)))
