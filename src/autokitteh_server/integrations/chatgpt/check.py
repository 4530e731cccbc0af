"""Lists models, which costs nothing."""

from collections.abc import Mapping

from autokitteh_server.integrations.asking import ask_object, bearer, connected, list_at
from autokitteh_server.integrations.spec import Http, Status


def check(variables: Mapping[str, str], http: Http) -> Status:
    """Whether the key may list models."""
    answer = ask_object(http, "GET", "https://api.openai.com/v1/models", headers=bearer(variables["apiKey"]))
    list_at(answer, "data")
    return connected("the owner of the API key")
