"""Whom it is connected as; and where an organization is known, whether it lets its seats be seen."""

from collections.abc import Mapping

from autokitteh_server.integrations._families.github import api_of, check_github, headers_of
from autokitteh_server.integrations.asking import ask_object
from autokitteh_server.integrations.spec import Http, Status


def check(variables: Mapping[str, str], http: Http) -> Status:
    """As for GitHub; and the organization's billing, where a token can ask for it."""
    status = check_github(variables, http)
    organization = variables.get("target_name", "")
    is_organization = variables.get("target_type", "") == "Organization"
    headers = headers_of(variables)
    if organization and is_organization and headers["authorization"] != "Bearer ":
        ask_object(http, "GET", f"{api_of(variables)}/orgs/{organization}/copilot/billing", headers=headers)
    return status
