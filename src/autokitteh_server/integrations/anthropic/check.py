"""Lists models, which costs nothing."""

from collections.abc import Mapping

from autokitteh_server.integrations.asking import ask_object, connected, list_at
from autokitteh_server.integrations.spec import Http, Status


def check(variables: Mapping[str, str], http: Http) -> Status:
    """Whether the key may list models."""
    headers = {"x-api-key": variables["api_key"], "anthropic-version": "2023-06-01"}
    answer = ask_object(http, "GET", "https://api.anthropic.com/v1/models", params={"limit": "1"}, headers=headers)
    list_at(answer, "data")
    return connected("the owner of the API key")
