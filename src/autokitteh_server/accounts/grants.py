"""How tokens are had: one function for each way, all by Authlib and one form of errors.

The client here is Authlib's; only the sending is ours, for it has bounds and masks what it says.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import quote

from authlib.common.errors import AuthlibBaseError  # type: ignore[import-untyped]
from authlib.oauth2.client import OAuth2Client  # type: ignore[import-untyped]

from autokitteh_server.accounts.apps import App, Apps
from autokitteh_server.accounts.errors import NotConnected, ServiceUnavailable, TokenRefused
from autokitteh_server.accounts.signing import read_service_account, sign_as_app
from autokitteh_server.accounts.tokens import Token, read_token
from autokitteh_server.accounts.web import Web, shown
from autokitteh_server.core.masking import masker
from autokitteh_server.integrations.spec import AuthType, Grant, OAuth2, TokenAuth

_JWT_BEARER: Final = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_AUTH: Final = {TokenAuth.BODY: "client_secret_post", TokenAuth.BASIC: "client_secret_basic"}

#: What every answer has; all else in it may be worth keeping.
Answer = Mapping[str, Any]


class Grants:
    """Asks services for tokens. Threads may share it. All methods raise what `accounts.errors` has."""

    def __init__(self, web: Web, apps: Apps) -> None:
        self.web = web
        self.apps = apps

    def authorize_url(
        self, auth: AuthType, oauth: OAuth2, variables: Mapping[str, str], *, state: str, verifier: str, redirect: str
    ) -> str:
        """Where a person says that the connection may use their account. `verifier`: of PKCE; "": none."""
        url = self.url(oauth.authorize_url, oauth, variables)
        if oauth.grant is Grant.GITHUB_APP:
            return f"{url}?state={quote(state, safe='')}"  # an app is installed; its own settings say the rest
        extra = {name: self.apps.fill(value, oauth, variables) for name, value in oauth.authorize_params.items()}
        client = self._client(oauth, self.apps.find(auth, oauth, variables), redirect=redirect)
        scopes = oauth.scope_separator.join(oauth.scopes) or None
        made: tuple[str, str] = client.create_authorization_url(
            url, state=state, code_verifier=verifier or None, scope=scopes, **extra
        )
        return made[0]

    def exchange(
        self, auth: AuthType, oauth: OAuth2, variables: Mapping[str, str], *, code: str, verifier: str, redirect: str
    ) -> Answer:
        """What a service gives for a code."""
        masker.add(code, verifier)
        extra = {"code_verifier": verifier} if verifier else {}
        app = self.apps.find(auth, oauth, variables)
        extra |= {name: self.apps.fill(value, oauth, variables) for name, value in oauth.token_params.items()}
        client = self._client(oauth, app, redirect=redirect)
        url = self.url(oauth.token_url, oauth, variables)
        return _asked(lambda: client.fetch_token(url, grant_type="authorization_code", code=code, **extra))

    def renew(
        self, auth: AuthType, oauth: OAuth2, variables: Mapping[str, str], token: Token | None, now: int
    ) -> Token:
        """A new token in the place of the one there is, by whatever way the connection has."""
        match oauth.grant:
            case Grant.AUTHORIZATION_CODE:
                return self._refresh(auth, oauth, variables, token, now)
            case Grant.CLIENT_CREDENTIALS | Grant.ZOOM_ACCOUNT:
                return read_token(self._credentials(auth, oauth, variables), now=now)
            case Grant.SERVICE_ACCOUNT:
                return read_token(self._service_account(oauth, variables, now), now=now)
            case Grant.GITHUB_APP:
                return self._installation(oauth, variables, now)

    def url(self, text: str, oauth: OAuth2, variables: Mapping[str, str]) -> str:
        """A URL of the service's, which GitHub's enterprises have on machines of their own."""
        url = self.apps.fill_url(text, oauth, variables)
        enterprise = self.apps.value(oauth, "enterprise_url", variables).rstrip("/")
        if oauth.grant is not Grant.GITHUB_APP or not enterprise:
            return url
        api = url.replace("https://api.github.com/", f"{enterprise}/api/v3/", 1)
        return api.replace("https://github.com/apps/", f"{enterprise}/github-apps/", 1)

    def ask_as_app(
        self, method: str, url: str, oauth: OAuth2, variables: Mapping[str, str], now: int
    ) -> dict[str, Any]:
        """What GitHub answers to an app."""
        app_id = self.apps.value(oauth, "app_id", variables)
        key = self.apps.value(oauth, "private_key", variables)
        if not app_id or not key:
            raise NotConnected(
                "there is no id or no private key of the GitHub app",
                "Start the server with GITHUB_APP_ID and GITHUB_PRIVATE_KEY, or use a private app.",
            )
        signed = sign_as_app(app_id, key, now=now)
        masker.add(signed)
        headers = {"Authorization": f"Bearer {signed}", "Accept": "application/vnd.github+json"}
        return self.web.ask(method, url, headers=headers).read_object()

    def _refresh(
        self, auth: AuthType, oauth: OAuth2, variables: Mapping[str, str], token: Token | None, now: int
    ) -> Token:
        if token is None:
            raise NotConnected("the connection has no access token", "Say `ak connection init`.")
        if not token.refresh:
            raise NotConnected("missing refresh token", "Say `ak connection init`, which connects it anew.")
        client = self._client(oauth, self.apps.find(auth, oauth, variables))
        url = self.url(oauth.token_url, oauth, variables)
        answer = _asked(lambda: client.refresh_token(url, refresh_token=token.refresh))
        return read_token(answer, now=now, refresh=token.refresh)

    def _credentials(self, auth: AuthType, oauth: OAuth2, variables: Mapping[str, str]) -> Answer:
        params = {name: self.apps.fill(value, oauth, variables) for name, value in oauth.token_params.items()}
        grant = "client_credentials"
        if oauth.grant is Grant.ZOOM_ACCOUNT:
            grant = "account_credentials"
            params.setdefault("account_id", self.apps.fill("{private_account_id}", oauth, variables))
        if oauth.scopes:
            params.setdefault("scope", oauth.scope_separator.join(oauth.scopes))
        params.pop("grant_type", None)
        client = self._client(oauth, self.apps.find(auth, oauth, variables))
        url = self.url(oauth.token_url, oauth, variables)
        return _asked(lambda: client.fetch_token(url, grant_type=grant, **params))

    def _service_account(self, oauth: OAuth2, variables: Mapping[str, str], now: int) -> Answer:
        url = self.url(oauth.token_url, oauth, variables)
        account = read_service_account(variables.get("JSON", ""))
        assertion = account.assertion(oauth.scopes, url, now=now)
        masker.add(assertion)
        client = OAuth2Client(self.web, token_endpoint_auth_method="none", client_id=account.email)
        return _asked(lambda: client.fetch_token(url, grant_type=_JWT_BEARER, assertion=assertion))

    def _installation(self, oauth: OAuth2, variables: Mapping[str, str], now: int) -> Token:
        url = self.url(oauth.token_url, oauth, variables)
        answer = self.ask_as_app("POST", url, oauth, variables, now)
        return read_token({**answer, "access_token": answer.get("token")}, now=now)

    def _client(self, oauth: OAuth2, app: App, redirect: str = "") -> Any:
        return OAuth2Client(
            self.web,
            client_id=app.client_id,
            client_secret=app.client_secret,
            # Without a secret, a public app: PKCE shows who began.
            token_endpoint_auth_method=_AUTH[oauth.token_auth] if app.client_secret else "none",
            redirect_uri=redirect or None,
            code_challenge_method="S256",
        )


def _asked(ask: Callable[[], Any]) -> Answer:
    """The answer, with Authlib's errors told as ours. Causes are left out: what they say is not masked."""
    try:
        answer: Answer = ask()
    except AuthlibBaseError as error:
        code, said = shown(error.error), shown(error.description)
        message = "the service refuses" + (f": {code}" if code else "") + (f" ({said})" if said else "")
        raise TokenRefused(message, error=code) from None
    except ValueError:
        raise ServiceUnavailable("the service has answered with something that is no token", "Try again.") from None
    if answer.get("ok") is False:  # Slack's way to say no, where it does not say why
        raise TokenRefused("the service refuses")
    return answer
