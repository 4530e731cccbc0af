"""What a message looks like after one of its buttons was clicked: without them, and saying who did."""

from collections.abc import Mapping
from typing import Any, Final

from autokitteh_server.integrations.asking import dig, text_at
from autokitteh_server.integrations.payload import objects_in
from autokitteh_server.integrations.webhook import Message

#: Where messages can be changed. Nobody can have us post to anywhere else.
_ANSWERS: Final = "https://hooks.slack.com/"


def acknowledge(payload: Mapping[str, Any]) -> tuple[Message, ...]:
    """The message anew, once one of its buttons was clicked; nothing for all other interactions."""
    url = text_at(payload, "response_url")
    message = payload.get("message")
    clicked = next((each for each in objects_in(payload.get("actions")) if each.get("type") == "button"), None)
    if payload.get("type") != "block_actions" or not isinstance(message, dict) or not clicked:
        return ()
    if not url.startswith(_ANSWERS) or not url.isprintable():
        return ()
    user, button = text_at(payload, "user", "id"), text_at(dig(clicked, "text"), "text")
    text = f"<@{user}> clicked the `{button}` button"
    kept = [block for block in objects_in(message.get("blocks")) if block.get("type") != "actions"]
    said = {"type": "section", "text": {"type": "mrkdwn", "text": text}}
    body = {"replace_original": True, "text": text_at(message, "text") or text, "blocks": [*kept, said]}
    return (Message(url=url, body=body),)
