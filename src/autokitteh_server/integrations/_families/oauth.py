"""What apps of one's own ask for, wherever OAuth is."""

from autokitteh_server.integrations.spec import Field

DEFAULT_APP = "OAuth v2 - Default app"
PRIVATE_APP = "OAuth v2 - Private app"


def private_app(service: str) -> tuple[Field, Field]:
    """The id and the secret of an app that was registered with a service."""
    return (
        Field(name="client_id", title="Client ID", variable="private_client_id", help=f"of your app at {service}"),
        Field(
            name="client_secret",
            title="Client Secret",
            variable="private_client_secret",
            is_secret=True,
            help=f"of your app at {service}",
        ),
    )
