"""Whose credentials they are, as STS says: one request, signed by Signature Version 4."""

import hashlib
import hmac
from collections.abc import Mapping
from datetime import UTC, datetime

from autokitteh_server.integrations.asking import ask_object, connected, text_at
from autokitteh_server.integrations.spec import Http, Status

_BODY = "Action=GetCallerIdentity&Version=2011-06-15"
_FORM = {"Action": "GetCallerIdentity", "Version": "2011-06-15"}
_TYPE = "application/x-www-form-urlencoded"


def check(variables: Mapping[str, str], http: Http) -> Status:
    """Whose credentials they are."""
    region = variables["Region"]
    host = f"sts.{region}.amazonaws.com" + (".cn" if region.startswith("cn-") else "")
    headers = signed_headers(
        host,
        region,
        variables["AccessKeyID"],
        variables["SecretKey"],
        variables.get("Token", ""),
        at=datetime.fromtimestamp(http.now_s(), UTC),
    )
    answer = ask_object(http, "POST", f"https://{host}/", headers=headers, form=_FORM)
    place = ("GetCallerIdentityResponse", "GetCallerIdentityResult", "Arn")
    return connected(text_at(answer, *place))


def signed_headers(host: str, region: str, key_id: str, secret: str, token: str, *, at: datetime) -> dict[str, str]:
    """The headers of the request. Of its own host it says what is signed, wherever it is sent."""
    moment = at.strftime("%Y%m%dT%H%M%SZ")
    headers = {"content-type": _TYPE, "host": host, "x-amz-date": moment}
    if token:
        headers["x-amz-security-token"] = token
    names = ";".join(sorted(headers))
    lines = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    request = f"POST\n/\n\n{lines}\n{names}\n{_digest(_BODY)}"
    scope = f"{moment[:8]}/{region}/sts/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{_digest(request)}"
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    signature = hmac.digest(key, text.encode(), "sha256").hex()
    credential = f"Credential={key_id}/{scope}, SignedHeaders={names}, Signature={signature}"
    return {**headers, "authorization": f"AWS4-HMAC-SHA256 {credential}"}


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
