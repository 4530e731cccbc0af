"""Who the token's owner is, or for whom the app is installed."""

from autokitteh_server.integrations._families.github import check_github

check = check_github
