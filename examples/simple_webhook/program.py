from os import getenv

from autokitteh.slack import slack_client

# Made each time a process of a session starts, also when it goes on after a crash: module-level code is never recorded.
slack = slack_client("slack_conn")

CHANNEL = getenv("CHANNEL")


def on_webhook(event):
    """Send what the request says to Slack."""
    payload = event.data.body.json
    channel = payload.get("channel", CHANNEL)
    # An activity, for it is a call into another's package: after a crash the message is not sent again.
    reply = slack.chat_postMessage(channel=channel, text=payload.get("text", "Somebody is at the door."))
    print("sent to", reply["channel"])
