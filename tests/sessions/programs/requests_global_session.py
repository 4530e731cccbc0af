"""A requests.Session at module level is made anew after a crash, and gets its cookies back."""

# /// session
# prints = '''
# {'path': '/whoami', 'cookies': ''}
# {'path': '/whoami', 'cookies': 'ticket=abc; own=1'}
# {'welcome': True}
# '''
# ///

from os import getenv

import requests

URL = getenv("SERVICE")
SESSION = requests.Session()
SESSION.headers["X-Client"] = "test"


def on_trigger(event):
    print(requests.get(f"{URL}/whoami").json())
    SESSION.get(f"{URL}/login")
    SESSION.cookies.set("own", "1")
    print(SESSION.get(f"{URL}/whoami").json())
    with requests.Session() as other:
        print(other.get(f"{URL}/login").json())
