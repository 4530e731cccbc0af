"""Kubernetes."""

from autokitteh_server.integrations.kubernetes.check import check, read_config
from autokitteh_server.integrations.spec import AuthType, Field, Integration

SPEC = Integration(
    name="kubernetes",
    title="Kubernetes",
    about="A cluster of Kubernetes.",
    docs_url="https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/",
    auth=(
        AuthType(
            name="initialized",
            title="Kubeconfig",
            fields=(
                Field(
                    name="config_file",
                    title="Kubeconfig",
                    is_secret=True,
                    is_multiline=True,
                    clean=read_config,
                    help="as JSON, from `kubectl config view --raw --minify --flatten -o json`",
                ),
            ),
        ),
    ),
    check=check,
    helper="autokitteh.kubernetes:kubernetes_client",
    package="kubernetes",
    is_extra=True,
)
