"""Methods of an object that cannot be pickled: one warning for each class. As an argument: one for each line."""

# /// session
# warnings = [
#     "Client.get may change its self (program.Client): cannot pickle",
#     "Other.get may change its self (program.Other): cannot pickle",
#     "program.use may change its argument 1 (program.Client): cannot pickle",
#     "program.use may change its argument 1 (program.Client): cannot pickle",
# ]
# prints = '''
# get 0
# get 1
# put 2
# get 3
# use
# use
# '''
# not_in = { plain = "nothing is recorded there" }
# ///

import threading

from autokitteh import activity


class Client:
    def __init__(self):
        self.lock = threading.Lock()

    @activity
    def get(self, number):
        return f"get {number}"

    @activity
    def put(self, number):
        return f"put {number}"


class Other(Client):
    @activity
    def get(self, number):
        return f"get {number}"


@activity
def use(client):
    return "use"


def on_trigger(event):
    client = Client()
    for number in range(2):
        print(client.get(number))
    print(Client().put(2))
    print(Other().get(3))
    print(use(client))
    print(use(client))
