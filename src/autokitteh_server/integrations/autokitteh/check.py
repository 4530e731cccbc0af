"""Whether the server answers."""

from collections.abc import Mapping

from autokitteh_server.integrations.asking import ask_object, bearer, connected, list_at
from autokitteh_server.integrations.spec import Http, Status


def check(variables: Mapping[str, str], http: Http) -> Status:
    """Whether the server takes the token; without an address it is this one, which answers just now."""
    url = variables.get("base_url", "").rstrip("/")
    if not url:
        return connected("this server")
    answer = ask_object(
        http,
        "GET",
        f"{url}/api/v1/projects",
        params={"limit": "1"},
        headers=bearer(variables["token"]) if variables.get("token") else {},
    )
    list_at(answer, "items")
    return connected(f"a user of {url}")
