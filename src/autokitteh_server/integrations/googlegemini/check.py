"""Lists models, which costs nothing."""

from collections.abc import Mapping

from autokitteh_server.integrations.asking import ask_object, connected, list_at
from autokitteh_server.integrations.spec import Http, Status


def check(variables: Mapping[str, str], http: Http) -> Status:
    """Whether the key may list models. It goes into a header, lest it be in a log of addresses."""
    headers = {"x-goog-api-key": variables["api_key"]}
    answer = ask_object(http, "GET", "https://generativelanguage.googleapis.com/v1beta/models", headers=headers)
    list_at(answer, "models")
    return connected("the owner of the API key")
