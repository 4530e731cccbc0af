"""Which version the cluster has."""

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any

from autokitteh_server.integrations.asking import bearer, connected, dig, parse_json, text_at, verify_answer
from autokitteh_server.integrations.errors import Intent, ServiceError
from autokitteh_server.integrations.spec import Code, Http, Status


def read_config(text: str) -> str:
    """A kubeconfig as JSON. Raises ValueError for anything else."""
    try:
        found = json.loads(text)
    except ValueError:
        raise ValueError("is not JSON") from None
    if not isinstance(dig(found, "clusters"), list):
        raise ValueError("is no kubeconfig: it has no clusters")
    return text.strip()


def check(variables: Mapping[str, str], http: Http) -> Status:
    """Which version the cluster has, and whether it takes the user's token."""
    config = parse_json(variables["config_file"].encode())
    context = _named(config, "contexts", text_at(config, "current-context"), "context")
    cluster = _named(config, "clusters", text_at(context, "cluster"), "cluster")
    user = _named(config, "users", text_at(context, "user"), "user")
    server = text_at(cluster, "server").rstrip("/")
    if not server:
        raise ServiceError("cannot be asked: its configuration names no server", "Enter it anew.")
    token = text_at(user, "token")
    if not token:
        message = "cannot be tried: its user has no token, and certificates and plug-ins are for its own client only"
        return Status(code=Code.WARNING, message=message, remedy="Code can use it all the same.")
    answer = http("GET", f"{server}/version", headers=bearer(token), ca_pem=_authority(cluster))
    verify_answer(answer)
    version = text_at(parse_json(answer.body), "gitVersion")
    if not version:
        raise ServiceError("answered something that is not what its API answers", intent=Intent.OURS)
    return connected(f"{text_at(context, 'user')} at {server} ({version})")


def _named(config: Any, kind: str, name: str, part: str) -> Any:
    """The part of this name in a list of the configuration; the first one if no name is given."""
    entries = dig(config, kind)
    found = entries if isinstance(entries, list) else []
    return next((dig(each, part) for each in found if not name or text_at(each, "name") == name), None)


def _authority(cluster: Any) -> str:
    data = text_at(cluster, "certificate-authority-data")
    try:
        return base64.b64decode(data).decode("ascii")
    except (binascii.Error, ValueError):
        raise ServiceError("cannot be asked: its certificate authority is not base64", "Enter it anew.") from None
