"""Google Drive says by a channel that files have changed."""

from autokitteh_server.integrations._families.channels import channel_webhook

WEBHOOK = channel_webhook(id_variable="DriveEventsWatchID", token_variable="DriveEventsWatchToken")
