"""A handler that is quick and may be repeated as a whole needs no journal."""

from collections import Counter


def on_webhook(event):
    words = event.data.get("text", "to be or not to be").split()
    for word, count in Counter(words).most_common(2):
        print(f"{word}: {count}")
