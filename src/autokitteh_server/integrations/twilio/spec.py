"""Twilio."""

from autokitteh_server.integrations.spec import AuthType, EventType, Field, Integration
from autokitteh_server.integrations.twilio.check import check

_SID = Field(
    name="account_sid",
    title="Account SID",
    variable="AccountSID",
    also=("Username",),
    pattern=r"AC\w+",
    help="on the first page of https://console.twilio.com; it begins with AC",
)

_HOOKS = ("twilio/message",)

SPEC = Integration(
    name="twilio",
    title="Twilio",
    about="Text messages, calls and WhatsApp by Twilio.",
    docs_url="https://www.twilio.com/docs/iam/api-keys",
    auth=(
        AuthType(
            name="apiToken",
            title="Auth Token",
            fields=(
                _SID,
                Field(
                    name="auth_token",
                    title="Auth Token",
                    variable="Password",
                    is_secret=True,
                    help="on the first page of https://console.twilio.com",
                ),
            ),
            aliases=("authToken",),
            hooks=_HOOKS,
        ),
        AuthType(
            name="apiKey",
            title="API Key",
            fields=(
                Field(
                    name="account_sid",
                    title="Account SID",
                    variable="AccountSID",
                    pattern=r"AC\w+",
                    help="on the first page of https://console.twilio.com; it begins with AC",
                ),
                Field(
                    name="api_key",
                    title="API Key SID",
                    variable="Username",
                    help="under API keys & tokens; it begins with SK",
                ),
                Field(
                    name="api_secret",
                    title="API Key Secret",
                    variable="Password",
                    is_secret=True,
                    help="as it was shown when the key was made",
                ),
                Field(
                    name="auth_token",
                    title="Auth Token",
                    is_secret=True,
                    is_optional=True,
                    help="of the account, which signs its events; without one there are none",
                ),
            ),
            hooks=_HOOKS,
        ),
    ),
    check=check,
    helper="autokitteh.twilio:twilio_client",
    package="twilio",
    api="https://api.twilio.com",
    events=(EventType(name="message", title="A message came in, or its state changed"),),
)
