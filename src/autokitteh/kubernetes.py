"""Kubernetes: the official client, with the configuration of a connection."""

import json
from typing import Any

from autokitteh.connections import check_connection_name, missing_package, require_variable
from autokitteh.errors import ConnectionInitError

READS = ("config_file",)


def kubernetes_client(connection: str) -> Any:
    """The module `kubernetes.client`, set up for a connection of the project: `client.CoreV1Api().list_namespace()`.

    The setting holds for the whole process: it is the last connection's. Credentials are those of the connection's
    `config_file`, a kubeconfig as JSON, which also says where the cluster is.

    Raises ValueError for what is no name of a connection, ConnectionInitError if it has no configuration or one that
    is not valid, RuntimeError if the configuration cannot be used, ImportError if `kubernetes` is not installed.
    """
    check_connection_name(connection)
    try:
        from kubernetes import client, config  # type: ignore[import-untyped]
    except ImportError as error:
        raise missing_package("kubernetes_client", "kubernetes ~= 31.0") from error

    try:
        settings = json.loads(require_variable(connection, "config_file"))
    except ValueError as error:
        raise ConnectionInitError(connection) from error
    if not isinstance(settings, dict):
        raise ConnectionInitError(connection)
    try:
        config.load_kube_config_from_dict(settings)
    except config.ConfigException as error:
        raise ConnectionInitError(connection) from error
    except Exception as error:  # whatever a plugin for credentials raises
        raise RuntimeError(f"the kubeconfig of {connection!r} cannot be used: {error}") from error
    return client
