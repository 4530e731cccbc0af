"""What the gateway's messages are as data: https://discord.com/developers/docs/events/gateway-events.

A message that was deleted is there with its ids only; all else is empty.
"""

from collections.abc import Mapping
from typing import Final

from autokitteh_server.integrations.asking import text_at
from autokitteh_server.integrations.keys import event_type_of, key_of
from autokitteh_server.integrations.matching import match_of
from autokitteh_server.integrations.shapes import Each, Maybe, Shape, shaped, texts
from autokitteh_server.integrations.webhook import Found, Refused

_USER: Final[Shape] = {
    **texts("id username discriminator global_name avatar"),
    "bot": False,
    "system": False,
    "public_flags": 0,
}
_MEMBER: Final[Shape] = {
    "user": Maybe(_USER),
    **texts("nick avatar joined_at premium_since"),
    "roles": (),
    **dict.fromkeys(("deaf", "mute", "pending"), False),
    "flags": 0,
}
_PLAIN_MESSAGE: Final[Shape] = {
    **texts("id channel_id guild_id content timestamp edited_timestamp"),
    **dict.fromkeys(("tts", "mention_everyone"), False),
    "mentions": Each(_USER),
    "mention_roles": (),
    "mention_channels": (),
    "author": _USER,
    "member": Maybe(_MEMBER),
    "attachments": (),
    "embeds": (),
    "reactions": (),
    "nonce": None,
    "pinned": False,
    "type": 0,
    "webhook_id": "",
    "activity": None,
    "application": None,
    "application_id": "",
    "message_reference": Maybe(texts("message_id channel_id guild_id")),
    "referenced_message": None,
    "flags": 0,
    "interaction": None,
    "thread": None,
    "components": (),
    "sticker_items": (),
    "poll": None,
}
_MESSAGE: Final[Shape] = {**_PLAIN_MESSAGE, "referenced_message": Maybe(_PLAIN_MESSAGE)}
_REACTION: Final[Shape] = {
    **texts("user_id message_id channel_id guild_id message_author_id"),
    "emoji": {**texts("id name"), "animated": False},
    "member": Maybe(_MEMBER),
    "burst": False,
    "type": 0,
}
_THREAD: Final[Shape] = {
    **texts("id guild_id parent_id owner_id name last_message_id"),
    **dict.fromkeys(("type", "message_count", "member_count", "rate_limit_per_user", "flags"), 0),
    "thread_metadata": Maybe(
        {
            **dict.fromkeys(("archived", "locked", "invitable"), False),
            "auto_archive_duration": 0,
            **texts("archive_timestamp create_timestamp"),
        }
    ),
    "member": None,
    "applied_tags": (),
    "newly_created": False,
}
_PRESENCE: Final[Shape] = {
    "user": _USER,
    **texts("guild_id status"),
    "activities": (),
    "client_status": texts("desktop mobile web"),
}

#: By type; what is not here is as Discord sends it.
EVENTS: Final[Mapping[str, Shape]] = {
    "message_create": _MESSAGE,
    "message_update": {**_MESSAGE, "before_update": None},
    "message_delete": {**_MESSAGE, "before_delete": None},
    **dict.fromkeys(("message_reaction_add", "message_reaction_remove"), _REACTION),
    **dict.fromkeys(("thread_create", "thread_update", "thread_delete"), _THREAD),
    "presence_update": _PRESENCE,
}


def gateway_event(kind: str, data: object, *, bot_id: str, session_id: str, number: int) -> Found | None:
    """A dispatch of the gateway; None for what the bot has done itself. Raises Refused for what is none.

    - `number`: its place in the gateway's session, which is the same when it is sent again after a resume.
    """
    if not isinstance(data, dict):
        raise Refused(400, "the gateway's message is no object")
    event_type = event_type_of(kind).lower()
    if bot_id and bot_id in (text_at(data, "author", "id"), text_at(data, "user_id"), text_at(data, "user", "id")):
        return None
    shape = EVENTS.get(event_type)
    return Found(
        event_type=event_type,
        data=dict(data) if shape is None else shaped(data, shape),
        key=key_of(session_id, number),
        match=(match_of(BotID=bot_id),),
    )
