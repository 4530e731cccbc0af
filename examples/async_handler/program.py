"""An async handler: activities overlap, and the order in which they end is remembered."""

import asyncio

import autokitteh


async def on_trigger(_):
    ended = []

    async def fetch_and_note(name, seconds):
        await fetch(name, seconds)
        ended.append(name)

    await asyncio.gather(
        fetch_and_note("slow", 0.3),
        fetch_and_note("quick", 0.1),
        fetch_and_note("middling", 0.2),
    )
    print(", ".join(ended))


# Stands for a request over the network. Async activities run in an event loop of their own and really overlap.
@autokitteh.activity
async def fetch(name, seconds):
    await asyncio.sleep(seconds)
    return name
