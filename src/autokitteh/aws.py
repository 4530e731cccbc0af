"""Amazon Web Services: the official client, with the credentials of a connection."""

from typing import Any

from autokitteh._reference import as_reference
from autokitteh.connections import check_connection_name, missing_package, read_variable

READS = ("Region", "AccessKeyID", "SecretKey", "Token", "base_url")


def boto3_client(connection: str, service: str, region: str = "", **kwargs: Any) -> Any:
    """Amazon's client for one of its services, made by `boto3.client`, for a connection of the project.

    - `service`: "s3", for instance.
    - `region`: "": the connection's.
    - `kwargs`: arguments for `boto3.client`.

    The connection's variable `base_url`, if it has one, is where the service is: a proxy, or a stand-in for tests. The
    keys do not expire, so the client can be made at module level. Credentials that the connection does not have are
    looked for by `boto3` itself, where it always does.

    Raises ValueError for what is no name of a connection, and without a service; ImportError if `boto3` is not
    installed.
    """
    check_connection_name(connection)
    if not service:
        raise ValueError("boto3_client needs the name of a service, such as 's3'")
    try:
        import boto3  # type: ignore[import-untyped]
    except ImportError as error:
        raise missing_package("boto3_client", "boto3 ~= 1.35") from error

    given = {
        "region_name": region or _read(connection, "Region"),
        "aws_access_key_id": _read(connection, "AccessKeyID"),
        "aws_secret_access_key": _read(connection, "SecretKey"),
        "aws_session_token": _read(connection, "Token"),
        "endpoint_url": _read(connection, "base_url"),
    }
    client = boto3.client(service, **{**given, **kwargs})
    return as_reference(client, boto3_client, connection, service, region, **kwargs)


def _read(connection: str, name: str) -> str | None:
    # Keys are pasted, with blanks around them.
    return read_variable(connection, name).strip() or None
