"""Who the user or the service account is."""

from autokitteh_server.integrations._families.google import check_google

check = check_google
