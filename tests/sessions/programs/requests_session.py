"""A requests.Session remembers a cookie that it got before a crash."""

# /// session
# prints = '''
# 200 {'welcome': True} {'ticket': 'abc'}
# {'path': '/whoami', 'cookies': 'ticket=abc'}
# 201 True application/json
# '''
# ///

from os import getenv

import requests

URL = getenv("SERVICE")


def on_trigger(event):
    session = requests.Session()
    response = session.get(f"{URL}/login")
    print(response.status_code, response.json(), session.cookies.get_dict())
    print(session.get(f"{URL}/whoami").json())
    response = session.post(URL, json={"a": 1})
    print(response.status_code, response.ok, response.headers["content-type"])
