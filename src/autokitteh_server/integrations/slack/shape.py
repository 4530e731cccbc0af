"""What Slack's events, commands and interactions are as data: the fields that code may rest on.

Fields that are not in these tables (files, attachments, selected options) are there as Slack sends them.
"""

from collections.abc import Mapping
from typing import Any, Final

from autokitteh_server.integrations.shapes import ByKey, Each, Maybe, Shape, shaped, texts

_EDITED: Final[Shape] = texts("user ts")
_TOPIC: Final[Shape] = {**texts("value creator"), "last_set": 0}

_PLAIN_MESSAGE: Final[Shape] = {
    **texts("type subtype"),
    "hidden": False,
    "text": "",
    "blocks": (),
    "edited": Maybe(_EDITED),
    **texts("user app_id bot_id"),
    "bot_profile": None,
    **texts("parent_user_id team channel channel_type ts event_ts thread_ts permalink"),
    "reply_count": 0,
    "reply_users": (),
    "latest_reply": "",
    "reactions": (),
    "pinned_to": (),
    **texts("inviter name old_name"),
    **texts("purpose topic"),
    "message": None,
    "previous_message": None,
    "deleted_ts": "",
    "root": None,
    "client_msg_id": "",
    "files": (),
    "attachments": (),
}
#: A message within a message: what was changed, what it was before, what a thread began with.
_INNER: Final = Maybe(_PLAIN_MESSAGE)
MESSAGE: Final[Shape] = {**_PLAIN_MESSAGE, "message": _INNER, "previous_message": _INNER, "root": _INNER}

_MENTION: Final[Shape] = {
    **texts("type user team channel ts event_ts thread_ts text"),
    "blocks": (),
    "client_msg_id": "",
}
_REACTION: Final[Shape] = {
    **texts("type user reaction"),
    "item": texts("type channel ts"),
    **texts("item_user event_ts"),
}
_MEMBER: Final[Shape] = {
    **texts("type channel channel_type user inviter"),
    "is_moved": False,
    **texts("event_ts team enterprise"),
}
_CHANNEL: Final[Shape] = {
    "type": "",
    "channel": {**texts("id name creator"), "created": 0},
    "event_ts": "",
}

#: By type. What is not here is as Slack sends it: app_home_opened, app_uninstalled, tokens_revoked and all others.
EVENTS: Final[Mapping[str, Shape]] = {
    "message": MESSAGE,
    "app_mention": _MENTION,
    **dict.fromkeys(("reaction_added", "reaction_removed"), _REACTION),
    **dict.fromkeys(("member_joined_channel", "member_left_channel"), _MEMBER),
    **dict.fromkeys(
        (
            *("channel_archive", "channel_left", "channel_unarchive"),
            *("group_archive", "group_close", "group_deleted", "group_left", "group_open", "group_unarchive"),
        ),
        _MEMBER,
    ),
    **dict.fromkeys(("channel_created", "channel_rename", "group_rename"), _CHANNEL),
}

_COMMAND: Final[Shape] = {
    **texts("team_id team_domain"),
    "is_enterprise_install": False,
    **texts("enterprise_id enterprise_name api_app_id channel_id channel_name user_id"),
    **texts("command text response_url trigger_id"),
}

_ACTION: Final[Shape] = {**texts("type block_id action_id action_ts value style"), "text": None}
_INTERACTION: Final[Shape] = {
    "type": "",
    "user": texts("id"),
    "api_app_id": "",
    "team": Maybe(texts("id")),
    "channel": Maybe(texts("id name")),
    "message": _INNER,
    "container": {**texts("message_ts channel_id"), "is_ephemeral": False, "view_id": ""},
    "actions": Each(_ACTION),
    **texts("response_url trigger_id"),
    "view": Maybe(
        {
            **texts("id callback_id private_metadata"),
            "state": {"values": ByKey()},
        }
    ),
}

#: What commands have and must not be handed on: the old way to tell whether Slack has sent them.
_WITHHELD: Final = frozenset({"token"})


def event_data(event: Mapping[str, Any]) -> dict[str, Any]:
    """The data of an event, of the event that is within what Slack sends."""
    shape = EVENTS.get(str(event.get("type")))
    return dict(event) if shape is None else shaped(event, shape)


def command_data(form: Mapping[str, str]) -> dict[str, Any]:
    """The data of a slash command."""
    given: dict[str, Any] = {name: value for name, value in form.items() if name not in _WITHHELD}
    given["is_enterprise_install"] = form.get("is_enterprise_install") == "true"
    return shaped(given, _COMMAND)


def interaction_data(payload: Mapping[str, Any]) -> dict[str, Any]:
    """The data of a use of a button, a menu, a shortcut or a form."""
    return shaped({name: each for name, each in payload.items() if name not in _WITHHELD}, _INTERACTION)
