"""openai.RateLimitError, whose __init__ wants a response, is caught by its type."""

# /// session
# warnings = [
#     "Completions.create may change its self",
#     "Embeddings.create may change its self",
# ]
# prints = '''
# RateLimitError 429 rate_limit_exceeded
# a status error: True req-1
# '''
# ///

from os import getenv

import openai

client = openai.OpenAI(api_key="none", base_url=getenv("SERVICE") + "/v1", max_retries=0)


def on_trigger(event):
    try:
        client.chat.completions.create(model="gpt-4o", messages=[{"role": "user", "content": "hello"}])
    except openai.RateLimitError as err:
        print(type(err).__name__, err.status_code, err.code)
    try:
        client.embeddings.create(model="small", input="hello")
    except openai.APIStatusError as err:
        print("a status error:", isinstance(err, openai.RateLimitError), err.request_id)
