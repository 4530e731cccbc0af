"""Amazon's client, against moto's server."""

import pickle
from collections.abc import Callable, Iterator

import pytest

from autokitteh.aws import boto3_client


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    """Where a stand-in for all of AWS is."""
    from moto.server import ThreadedMotoServer

    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


def test_s3(address: str, given: Callable[..., None]) -> None:
    """A file goes there and comes back; what is told about it can be recorded."""
    given(Region="eu-west-1 ", AccessKeyID=" AKIA", SecretKey="s3cr3t", base_url=address)
    s3 = boto3_client("conn", "s3")
    s3.create_bucket(Bucket="cats", CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    s3.put_object(Bucket="cats", Key="tom", Body=b"meow")
    assert s3.get_object(Bucket="cats", Key="tom")["Body"].read() == b"meow"
    listed = pickle.loads(pickle.dumps(s3.list_objects_v2(Bucket="cats")))
    assert [each["Key"] for each in listed["Contents"]] == ["tom"]


def test_the_token_of_a_session_and_arguments(address: str, given: Callable[..., None]) -> None:
    """Temporary keys have a token; arguments go to boto3, also those that the connection has a value for."""
    given(Region="eu-west-1", AccessKeyID="AKIA", SecretKey="s3cr3t", Token="t", base_url="http://127.0.0.1:1")
    sts = boto3_client("conn", "sts", "us-east-2", endpoint_url=address)
    assert sts.get_caller_identity()["Account"]
    assert sts.meta.region_name == "us-east-2"
