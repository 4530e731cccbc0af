"""Who the token's owner is; with OAuth, which site it is."""

from collections.abc import Mapping

from autokitteh_server.integrations._families.atlassian import check_atlassian
from autokitteh_server.integrations.spec import Http, Status


def check(variables: Mapping[str, str], http: Http) -> Status:
    """Who the token's owner is; with OAuth, which site it is."""
    path = "/wiki/rest/api/user/current"
    return check_atlassian(variables, http, path=path, pat_path="/rest/api/user/current")
