"""Amazon Web Services."""

from autokitteh_server.integrations.aws.check import check
from autokitteh_server.integrations.spec import AuthType, Field, Integration

SPEC = Integration(
    name="aws",
    title="AWS",
    about="All services of Amazon Web Services.",
    docs_url="https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html",
    auth=(
        AuthType(
            name="initialized",
            title="Access Key",
            fields=(
                Field(
                    name="region",
                    title="Region",
                    variable="Region",
                    pattern=r"[a-z0-9-]+",
                    help="such as eu-central-1",
                ),
                Field(
                    name="access_key",
                    title="Access Key ID",
                    variable="AccessKeyID",
                    is_secret=True,
                    help="of an IAM user; it begins with AKIA or ASIA",
                ),
                Field(
                    name="secret_key",
                    title="Secret Access Key",
                    variable="SecretKey",
                    is_secret=True,
                    help="as it was shown when the key was made",
                ),
                Field(
                    name="token",
                    title="Session Token",
                    variable="Token",
                    is_secret=True,
                    is_optional=True,
                    help="of temporary credentials only",
                ),
            ),
            aliases=("awsConfig", "key"),
        ),
    ),
    check=check,
    helper="autokitteh.aws:boto3_client",
    package="boto3",
    api="https://sts.{Region}.amazonaws.com",
)
