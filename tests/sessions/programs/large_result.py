"""Results of several megabytes."""

# /// session
# prints = '''
# 5000000 True
# 200000 199999
# 5000000 7
# '''
# ///

from autokitteh import activity


@activity
def blob(size):
    return bytes(range(250)) * (size // 250)


@activity
def numbers(count):
    return [{"n": n} for n in range(count)]


@activity
def change(buffer):
    buffer[-1] = 7


def on_trigger(event):
    data = blob(5_000_000)
    print(len(data), data[:3] == b"\x00\x01\x02")
    rows = numbers(200_000)
    print(len(rows), rows[-1]["n"])
    buffer = bytearray(5_000_000)
    change(buffer)
    print(len(buffer), buffer[-1])
