"""An httpx client at module level, and responses that are picked apart after a crash."""

# /// session
# warnings = [
#     "Client.get may change its self (httpx.Client)",  # and nothing of Client.post
# ]
# prints = '''
# 200 /one
# HTTPStatusError 429
# a=1&b=2
# ['/async/0', '/async/1']
# '''
# ///

import asyncio
from os import getenv

import httpx

from autokitteh import activity

client = httpx.Client(base_url=getenv("SERVICE"))


@activity
async def fetch(number):
    async with httpx.AsyncClient(base_url=getenv("SERVICE")) as http:
        response = await http.get(f"/async/{number}")
        return response.json()["path"]


async def both():
    return await asyncio.gather(fetch(0), fetch(1))


def on_trigger(event):
    response = client.get("/one")
    print(response.status_code, response.json()["path"])
    try:
        client.post("/v1/refused").raise_for_status()
    except httpx.HTTPStatusError as err:
        print(type(err).__name__, err.response.status_code)
    print(httpx.QueryParams({"a": "1"}).merge({"b": "2"}))
    print(asyncio.run(both()))
