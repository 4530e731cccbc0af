"""GitHub apps: nobody is asked for a code, but the app is installed, and GitHub says under which number."""

from collections.abc import Mapping
from typing import Any

from autokitteh_server.accounts.errors import Declined
from autokitteh_server.accounts.grants import Grants
from autokitteh_server.integrations.spec import OAuth2
from autokitteh_server.storage.values import dump_json


def read_installation(
    grants: Grants, oauth: OAuth2, variables: Mapping[str, str], query: Mapping[str, str], now: int
) -> dict[str, str]:
    """The variables of an installation that somebody comes back from.

    Raises Declined if there is none (yet), and what `Grants.ask_as_app` raises: the app must know the installation.
    """
    if query.get("setup_action") == "request":
        raise Declined(
            "the installation waits for an administrator of the organization",
            "Begin again once it is approved.",
        )
    install_id = query.get("installation_id", "")
    if not (install_id.isascii() and install_id.isdigit() and len(install_id) < 20):
        raise Declined("GitHub does not say which installation it is", "Begin again.")
    api, _, _ = grants.url(oauth.token_url, oauth, {**variables, "install_id": install_id}).rpartition(
        f"/app/installations/{install_id}/"
    )
    found = grants.ask_as_app("GET", f"{api}/app/installations/{install_id}", oauth, variables, now)
    account = found.get("account")
    target: Mapping[str, Any] = account if isinstance(account, dict) else {}
    app_id = grants.apps.value(oauth, "app_id", variables)
    return {
        "app_id": app_id,
        "app_name": grants.apps.value(oauth, "app_name", variables),
        "install_id": install_id,
        "target_id": str(found.get("target_id") or ""),
        "target_name": str(target.get("login") or ""),
        "target_type": str(found.get("target_type") or ""),
        "repositories": str(found.get("repository_selection") or ""),
        "permissions": dump_json(found.get("permissions") or {}),
        "events": dump_json(found.get("events") or []),
        "updated_at": str(found.get("updated_at") or ""),
        f"install_key__{app_id}__{install_id}": str(target.get("login") or ""),
    }
