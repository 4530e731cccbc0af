"""Who the user is, and in which workspace."""

from collections.abc import Mapping

from autokitteh_server.integrations.asking import ask_object, bearer, connected, dig, not_its_api, text_at, token_of
from autokitteh_server.integrations.errors import ServiceError
from autokitteh_server.integrations.spec import Http, Status

_QUERY = "{ viewer { id name displayName email organization { id name urlKey } } }"


def check(variables: Mapping[str, str], http: Http) -> Status:
    """Who the user is, and in which workspace. An API key stands in the header without `Bearer`."""
    key = variables.get("api_key", "")
    headers = {"authorization": key} if key else bearer(token_of(variables))
    answer = ask_object(http, "POST", "https://api.linear.app/graphql", json={"query": _QUERY}, headers=headers)
    viewer = dig(answer, "data", "viewer")
    if not isinstance(viewer, dict):
        # GraphQL says with 200 that something is wrong.
        told = text_at(answer, "errors", 0, "message")
        raise ServiceError(f"does not say who the user is{f' ({told})' if told else ''}", "Enter the key anew.")
    if not text_at(viewer, "id"):
        raise not_its_api()
    return connected(
        f"{text_at(viewer, 'name')} in {text_at(viewer, 'organization', 'name')}",
        viewer_id=text_at(viewer, "id"),
        viewer_name=text_at(viewer, "name"),
        viewer_display_name=text_at(viewer, "displayName"),
        viewer_email=text_at(viewer, "email"),
        org_id=text_at(viewer, "organization", "id"),
        org_name=text_at(viewer, "organization", "name"),
        org_url_key=text_at(viewer, "organization", "urlKey"),
    )
