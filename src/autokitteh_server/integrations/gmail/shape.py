"""What a change of a mailbox is as data. There is nothing of the messages in it: the history has them."""

from autokitteh_server.integrations.keys import key_of
from autokitteh_server.integrations.matching import match_of
from autokitteh_server.integrations.webhook import Found


def mailbox_change(email: str, history_id: int, published: str) -> Found:
    """The mailbox has a new history; pushed, or found by asking."""
    return Found(
        event_type="mailbox_change",
        data={"publish_time": published, "email_address": email, "history_id": history_id},
        # Not the message's own id: who has heard of a history by asking need not hear of it again by a push.
        key=key_of("history", email, history_id),
        match=(match_of(user_email=email),),
    )
