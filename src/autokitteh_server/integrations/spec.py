"""What an integration is, as data: its fields, how one gets its credentials, how they are tried, its events.

Each integration is a folder with a `spec.py` that has one `SPEC`. Forms, validation, storage, status, OAuth, pages of
the documentation all come from it; nothing else names an integration.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

#: The variables that hold what OAuth gives, in both their spellings.
SECRET_TOKENS = ("oauth_access_token", "oauth_AccessToken", "oauth_refresh_token", "oauth_RefreshToken")
TOKENS = (*SECRET_TOKENS, "oauth_expiry", "oauth_Expiry", "oauth_token_type", "oauth_TokenType")


class Grant(StrEnum):
    """By what a token is had."""

    AUTHORIZATION_CODE = "authorization_code"  # a person agrees, in a browser
    CLIENT_CREDENTIALS = "client_credentials"  # the app itself
    GITHUB_APP = "github_app"  # an installation of a GitHub App: a JWT signed with the app's key
    SERVICE_ACCOUNT = "service_account"  # of Google's: a JWT signed with the account's key
    ZOOM_ACCOUNT = "zoom_account"  # server to server: client credentials for an account


class TokenAuth(StrEnum):
    """How an app says who it is to the token end point."""

    BODY = "body"
    BASIC = "basic"


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuth2:
    """OAuth 2, or what amounts to it: a token that is had from a server, and expires.

    Texts in URLs and parameters may have `{variable}`s of the connection in them, or `{variable|default}`s. For a
    default app, what the server's environment has as APP_VARIABLE comes first.
    """

    token_url: str
    authorize_url: str = ""  # "": nobody has to agree
    grant: Grant = Grant.AUTHORIZATION_CODE
    scopes: tuple[str, ...] = ()
    scope_separator: str = " "
    app: str = ""  # the default app: APP_CLIENT_ID and APP_CLIENT_SECRET in the server's environment; "": there is none
    token_auth: TokenAuth = TokenAuth.BODY
    authorize_params: Mapping[str, str] = field(default_factory=dict)  # beside those of the standard
    token_params: Mapping[str, str] = field(default_factory=dict)
    uses_pkce: bool = False
    redirect: str = ""  # services that share a redirect path, such as "google"; "": the integration's own name
    revoke_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """Something that whoever makes a connection fills in."""

    name: str  # in forms, flags and the API: "bot_token"
    title: str
    variable: str = ""  # of the connection, in which it is kept; "": the same as the name
    is_secret: bool = False
    is_optional: bool = False
    help: str = ""  # where one finds it, what it looks like
    pattern: str = ""  # a regular expression for all of it; "": any text
    is_multiline: bool = False
    also: tuple[str, ...] = ()  # further variables that get the same value
    clean: Callable[[str], str] = str.strip  # what is kept of what was typed; raises ValueError: "is no JSON"

    @property
    def kept_in(self) -> str:
        """The connection's variable."""
        return self.variable or self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class AuthType:
    """One way to authenticate. What is stored as the connection's variable `auth_type`."""

    name: str  # "oauthDefault"
    title: str  # "OAuth v2 - Default app"
    fields: tuple[Field, ...] = ()
    oauth: OAuth2 | None = None
    aliases: tuple[str, ...] = ()  # older names, which are taken for it
    generates: tuple[str, ...] = ()  # variables that get an unguessable text, once, when a connection is initialized
    hooks: tuple[
        str, ...
    ] = ()  # paths that somebody has to enter at the service for events: "zoom/event", "x/{pat_key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a service has answered to a request."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    body: bytes


class Http(Protocol):
    """The way to services: with time-outs, a bound on the size of answers, and no redirects to elsewhere."""

    def __call__(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        json: object = None,
        form: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        ca_pem: str = "",
        timeout_s: float | None = None,
    ) -> Answer:
        """Raises ServiceError if there is no answer.

        - `ca_pem`: who vouches for the server; "": the usual ones.
        - `timeout_s`: for services that are asked to wait before they answer; None: as for all others.
        """
        ...

    def now_s(self) -> int:
        """The time, in seconds since 1970: signatures have it in them."""
        ...


class Code(StrEnum):
    """How a connection stands."""

    INIT_REQUIRED = "init_required"
    OK = "ok"
    WARNING = "warning"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What came of trying a connection."""

    code: Code
    message: str  # for people, without anything secret: "connected as acme-bot", "the token is not valid any more"
    remedy: str = ""  # how to mend it
    variables: Mapping[str, str] = field(default_factory=dict)  # what was learnt, to be kept: names, ids


#: Tries a connection with one live call: its variables, and the way to the service. Raises ServiceError.
Check = Callable[[Mapping[str, str], Http], Status]


@dataclass(frozen=True, slots=True, kw_only=True)
class EventType:
    """A kind of event that a service sends."""

    name: str  # as triggers and filters know it
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Integration:
    """A third-party service."""

    name: str  # as manifests have it
    title: str
    about: str  # one sentence
    docs_url: str  # the vendor's page about credentials
    auth: tuple[AuthType, ...]
    check: Check | None  # None: nothing to be tried
    helper: str = ""  # "autokitteh.slack:slack_client"; "": there is none
    package: str = ""  # of the client that the helper makes, as PyPI knows it
    api: str = ""  # what the connection's variable `base_url` is in place of; "": it has none
    learns: tuple[str, ...] = ()  # variables that are kept beside fields and tokens: by checks, or by installations
    learns_secrets: tuple[str, ...] = ()  # of these, the ones that are encrypted
    unchecked: str = ""  # why there is no check, where there is none
    events: tuple[EventType, ...] = ()
    makes_events_here: bool = False  # no service sends them: they are of this server's own
    is_extra: bool = False  # beyond the 27

    def auth_type(self, name: str) -> AuthType | None:
        """A way to authenticate by its name, or one of its older names."""
        return next((each for each in self.auth if name == each.name or name in each.aliases), None)

    @property
    def secret_variables(self) -> frozenset[str]:
        """The variables that are encrypted."""
        fields = (each for auth in self.auth for each in auth.fields)
        kept = (name for each in fields if each.is_secret for name in (each.kept_in, *each.also))
        return frozenset((*kept, *SECRET_TOKENS, *self.learns_secrets))
