"""Signature Version 4 is what AWS's own library makes of the same request."""

from datetime import UTC, datetime

import pytest

from autokitteh_server.integrations.aws.check import signed_headers

botocore_auth = pytest.importorskip("botocore.auth")


@pytest.mark.parametrize("token", ["", "a/session=token"])
def test_signature_is_that_of_botocore(token: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The header Authorization is the same, letter by letter."""
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    at = datetime(2025, 6, 1, 12, 30, 15, tzinfo=UTC)
    ours = signed_headers("sts.eu-central-1.amazonaws.com", "eu-central-1", "AKIA1", "s3cret/+", token, at=at)
    request = AWSRequest(
        "POST",
        "https://sts.eu-central-1.amazonaws.com/",
        data="Action=GetCallerIdentity&Version=2011-06-15",
        headers={"content-type": "application/x-www-form-urlencoded"},
    )
    signer = botocore_auth.SigV4Auth(Credentials("AKIA1", "s3cret/+", token or None), "sts", "eu-central-1")
    # The library looks at the clock itself.
    monkeypatch.setattr(botocore_auth, "get_current_datetime", lambda: at.replace(tzinfo=None))
    signer.add_auth(request)

    assert request.headers["X-Amz-Date"] == ours["x-amz-date"]
    assert request.headers["Authorization"] == ours["authorization"]
