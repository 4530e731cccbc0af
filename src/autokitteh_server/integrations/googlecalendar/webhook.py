"""Google Calendar says by a channel that events have changed."""

from autokitteh_server.integrations._families.channels import channel_webhook

WEBHOOK = channel_webhook(id_variable="CalendarEventsWatchID", token_variable="CalendarEventsWatchToken")
