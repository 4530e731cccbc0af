"""Which bases the token can see."""

from collections.abc import Mapping

from autokitteh_server.integrations.asking import ask_object, bearer, connected, list_at, token_of
from autokitteh_server.integrations.spec import Http, Status


def check(variables: Mapping[str, str], http: Http) -> Status:
    """Whether the token may list bases."""
    token = variables.get("pat", "") or token_of(variables)
    answer = ask_object(http, "GET", "https://api.airtable.com/v0/meta/bases", headers=bearer(token))
    count = len(list_at(answer, "bases"))
    return connected(f"the token's owner, who has shared {count} base{'' if count == 1 else 's'} with it")
