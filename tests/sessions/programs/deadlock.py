"""Tasks that wait for one another only, and would for ever, end the session at once."""

# /// session
# state = "ERROR"
# error = ["this would never end"]
# prints = '''
# waiting
# '''
# not_in = { plain = "there it would never end" }
# ///

import asyncio


async def on_trigger(event):
    print("waiting")
    await asyncio.Event().wait()
