"""Google: its official clients, with the credentials of a connection."""

import json
import os
import re
import warnings
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from autokitteh._elsewhere import send_elsewhere
from autokitteh._reference import as_reference
from autokitteh._tokens import (
    ACCESS,
    EXPIRY,
    REFRESH,
    VARIABLES,
    access_token,
    expires_at,
    expiry,
    renewed_token,
)
from autokitteh.connections import (
    check_connection_name,
    missing_package,
    read_first,
    read_variable,
    require_variable,
)
from autokitteh.errors import ConnectionInitError, OAuthRefreshError

if TYPE_CHECKING:
    from google.auth.credentials import Credentials
    from gspread import Client

READS = (*VARIABLES, "JSON", "api_key", "base_url")

_REQUIREMENT = "google-api-python-client ~= 2.155"
_SCOPE = "https://www.googleapis.com/auth/"

#: The scopes that each helper asks for with a service account; users have agreed to theirs already.
_GMAIL = (f"{_SCOPE}gmail.modify", f"{_SCOPE}gmail.settings.basic")
_CALENDAR = (f"{_SCOPE}calendar", f"{_SCOPE}calendar.events")
_DRIVE = (f"{_SCOPE}drive.file",)
_FORMS = (f"{_SCOPE}forms.body", f"{_SCOPE}forms.responses.readonly")
_SHEETS = (f"{_SCOPE}spreadsheets",)
_YOUTUBE = (f"{_SCOPE}youtube", f"{_SCOPE}youtube.readonly", f"{_SCOPE}youtube.upload")

#: What the runner's environment says for the secret of an app that only the server knows.
_NOT_AVAILABLE = "NOT AVAILABLE"


def gmail_client(connection: str, **kwargs: Any) -> Any:
    """Google's client for Gmail, version 1, for a connection of the project. Begin with `.users()`.

    - `kwargs`: arguments for `googleapiclient.discovery.build`, and those that `google_creds` takes.

    Its token is fresh at each request, so the client can be made at module level. The connection's variable `base_url`,
    if it has one, is where the API is: a proxy, or a stand-in for tests.

    Raises ValueError for what is no name of a connection, ConnectionInitError if it has no credentials,
    OAuthRefreshError if its token has expired and there is no new one, ImportError if `google-api-python-client` is not
    installed.
    """
    return _build("gmail_client", ("gmail", "v1"), connection, _GMAIL, kwargs)


def google_calendar_client(connection: str, **kwargs: Any) -> Any:
    """Google's client for Calendar, version 3, for a connection of the project. Begin with `.events()`.

    Arguments, lifetime and errors are those of `gmail_client`.
    """
    return _build("google_calendar_client", ("calendar", "v3"), connection, _CALENDAR, kwargs)


def google_drive_client(connection: str, **kwargs: Any) -> Any:
    """Google's client for Drive, version 3, for a connection of the project. Begin with `.files()`.

    It sees the files that it made or was given. Arguments, lifetime and errors are those of `gmail_client`.
    """
    return _build("google_drive_client", ("drive", "v3"), connection, _DRIVE, kwargs)


def google_forms_client(connection: str, **kwargs: Any) -> Any:
    """Google's client for Forms, version 1, for a connection of the project. Begin with `.forms()`.

    Arguments, lifetime and errors are those of `gmail_client`.
    """
    return _build("google_forms_client", ("forms", "v1"), connection, _FORMS, kwargs)


def google_sheets_client(connection: str, **kwargs: Any) -> Any:
    """Google's client for Sheets, version 4, for a connection of the project. Begin with `.spreadsheets()`.

    Arguments, lifetime and errors are those of `gmail_client`.
    """
    return _build("google_sheets_client", ("sheets", "v4"), connection, _SHEETS, kwargs)


def youtube_client(connection: str, **kwargs: Any) -> Any:
    """Google's client for YouTube, version 3, for a connection of the project. Begin with `.search()`.

    Arguments, lifetime and errors are those of `gmail_client`.
    """
    return _build("youtube_client", ("youtube", "v3"), connection, _YOUTUBE, kwargs)


def gspread_client(connection: str, **kwargs: Any) -> "Client":
    """A simpler client for Sheets, `gspread.Client`, for a connection of the project.

    - `kwargs`: arguments for `gspread.authorize`.

    Open a sheet by its key or URL: it may not look for one by name, which Drive would have to allow. Its token is fresh
    at each request, so the client can be made at module level. `base_url` and errors are as in `gmail_client`; the
    package is `gspread`.
    """
    check_connection_name(connection)
    try:
        import gspread
    except ImportError as error:
        raise missing_package("gspread_client", "gspread ~= 6.2") from error

    kwargs.setdefault("http_client", _gspread_http_class())
    client = gspread.authorize(google_creds("googlesheets", connection, list(_SHEETS)), **kwargs)
    send_elsewhere(client.http_client.session, read_variable(connection, "base_url"), "https://sheets.googleapis.com")
    return client


def google_creds(integration: str, connection: str, scopes: Sequence[str], **kwargs: Any) -> "Credentials":
    """Credentials for Google's own clients: a user's, or a service account's, for a connection of the project.

    - `integration`: what kind of connection it is; for the reader.
    - `scopes`: what a service account is to be allowed; a user has been asked already.
    - `kwargs`: arguments for `service_account.Credentials.from_service_account_info`.

    A user's token is renewed by the server, unless GOOGLE_CLIENT_SECRET and GOOGLE_CLIENT_ID are in the environment:
    then here.

    Raises ValueError for what is no name of a connection, ConnectionInitError if it has no credentials,
    OAuthRefreshError if a user's token has expired and there is no new one, ImportError if `google-auth` is not
    installed.
    """
    check_connection_name(connection)
    try:
        import google.oauth2  # noqa: F401
    except ImportError as error:
        raise missing_package("google_creds", _REQUIREMENT) from error

    if read_variable(connection, "auth_type") in ("oauth", "oauthDefault"):
        return _user(connection, list(scopes))
    return _service_account(connection, list(scopes), kwargs)


def google_id(url: str) -> str:
    """The id in the URL of a document of Google's: what follows `/d/` or `/d/e/`. An id is returned as it is.

    Raises ValueError if there is none.
    """
    found = re.match(r".+/d/(?:e/)?([\w-]{20,})", url) or re.fullmatch(r"([\w-]{20,})", url)
    if found is None:
        raise ValueError(f"there is no id of a document in {url!r}")
    return found[1]


def gemini_client(connection: str, **kwargs: Any) -> Any:
    """Google's client for Gemini, `google.generativeai.GenerativeModel`, for a connection of the project.

    - `kwargs`: arguments for `GenerativeModel`, such as `model_name`.

    The key is set for the whole process: it is the last connection's. It does not expire, so the client can be made at
    module level. The connection's variable `base_url`, if it has one, is where the API is: a proxy, or a stand-in for
    tests.

    Raises ValueError for what is no name of a connection, ConnectionInitError if it has no key, ImportError if
    `google-generativeai` is not installed.
    """
    check_connection_name(connection)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that the package is not developed any further
            import google.generativeai as genai
    except ImportError as error:
        raise missing_package("gemini_client", "google-generativeai ~= 0.8") from error

    options: dict[str, Any] = {"api_key": require_variable(connection, "api_key")}
    if base_url := read_variable(connection, "base_url").rstrip("/"):
        # Not gRPC, which would want TLS.
        options |= {"transport": "rest", "client_options": {"api_endpoint": base_url}}
    genai.configure(**options)  # type: ignore[attr-defined]
    return as_reference(genai.GenerativeModel(**kwargs), gemini_client, connection, **kwargs)  # type: ignore[attr-defined]


def google_pydantic_ai_provider(connection: str, **kwargs: Any) -> Any:
    """Pydantic AI's `GoogleProvider` for Gemini, for a connection of the project.

    - `kwargs`: arguments for `GoogleProvider`.

    `pydantic-ai-slim[google]` has to be in the project's `requirements.txt`. `base_url` is as in `gemini_client`.

    Raises ValueError for what is no name of a connection, ConnectionInitError if it has no key, ImportError if the
    package is not installed.
    """
    check_connection_name(connection)
    try:
        from google import genai  # type: ignore[attr-defined]
        from pydantic_ai.providers.google import GoogleProvider  # type: ignore[import-not-found]
    except ImportError as error:
        raise missing_package("google_pydantic_ai_provider", "pydantic-ai-slim[google]") from error

    key = require_variable(connection, "api_key")
    if "client" in kwargs:
        return GoogleProvider(**kwargs)
    if base_url := read_variable(connection, "base_url"):
        # Older providers take no address, but a client that has one.
        return GoogleProvider(client=genai.Client(api_key=key, http_options={"base_url": base_url}), **kwargs)
    return GoogleProvider(**{"api_key": key, **kwargs})


def _build(
    function: str, api: tuple[str, str], connection: str, scopes: tuple[str, ...], kwargs: dict[str, Any]
) -> Any:
    check_connection_name(connection)
    try:
        from googleapiclient.discovery import build  # type: ignore[import-untyped]
    except ImportError as error:
        raise missing_package(function, _REQUIREMENT) from error

    if base_url := read_variable(connection, "base_url"):
        kwargs.setdefault("client_options", {"api_endpoint": base_url})
    if "credentials" not in kwargs:
        own = {name: kwargs.pop(name) for name in ("subject", "quota_project_id") if name in kwargs}
        kwargs["credentials"] = google_creds(api[0], connection, scopes, **own)
    # The description of the API comes with the package: no request is made for it, and no folder is there for a cache.
    return build(*api, **{"cache_discovery": False, **kwargs})


def _user(connection: str, scopes: list[str]) -> "Credentials":
    require_variable(connection, *EXPIRY)
    require_variable(connection, *ACCESS)
    credentials = _user_class()(connection, scopes)
    if credentials.expired:
        credentials.refresh(None)
    return credentials  # type: ignore[no-any-return]


def _service_account(connection: str, scopes: list[str], kwargs: dict[str, Any]) -> "Credentials":
    try:
        account = json.loads(require_variable(connection, "JSON"))
        credentials = _account_class().from_service_account_info(account, **{"scopes": scopes, **kwargs})
    except (ValueError, AttributeError) as error:  # no JSON, or no object
        raise ConnectionInitError(connection) from error
    credentials.made_with = (connection, scopes, kwargs)
    return credentials  # type: ignore[no-any-return]


@cache
def _user_class() -> Any:
    from google.auth.exceptions import GoogleAuthError
    from google.auth.transport.requests import Request
    from google.oauth2.credentials import Credentials

    class UserCredentials(Credentials):
        """A user's. Pickled without the token, for what holds them may get recorded."""

        def __init__(self, connection: str, scopes: list[str]) -> None:
            self.made_with = (connection, scopes)
            until = _naive(expiry(connection))
            super().__init__(read_first(connection, *ACCESS), expiry=until, **_app(connection))  # type: ignore[no-untyped-call]

        def refresh(self, request: Any) -> None:
            if self.client_secret is None:
                self._renew_by_server()
                return
            try:
                super().refresh(request or Request())  # type: ignore[no-untyped-call]
            except GoogleAuthError as error:
                raise OAuthRefreshError(self.made_with[0], error) from error

        def _renew_by_server(self) -> None:
            connection = self.made_with[0]
            # One that has not expired has been refused.
            is_refused = self.token and not self.expired
            self.token = renewed_token(connection, self.token or "") if is_refused else access_token(connection)
            self.expiry = _naive(expires_at(connection))

        def __reduce__(self) -> Any:
            return _user, self.made_with

    return UserCredentials


def _app(connection: str) -> dict[str, str]:
    """What it takes to renew tokens here: nothing, unless the app's secret is in the environment."""
    secret = os.environ.get("GOOGLE_CLIENT_SECRET") or _NOT_AVAILABLE
    if secret == _NOT_AVAILABLE:
        return {}
    host = read_variable(connection, "base_url").rstrip("/") or "https://oauth2.googleapis.com"
    return {
        "refresh_token": read_first(connection, *REFRESH),
        "client_id": os.environ.get("GOOGLE_CLIENT_ID", ""),
        "client_secret": secret,
        "token_uri": f"{host}/token",
    }


def _naive(moment: datetime | None) -> datetime | None:
    # Google's libraries have all times in UTC, without saying so.
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None)


@cache
def _account_class() -> Any:
    from google.oauth2.service_account import Credentials

    class AccountCredentials(Credentials):
        """A service account's. Pickled without the key, for what holds them may get recorded."""

        made_with: tuple[Any, ...] = ()

        def _make_copy(self) -> Any:
            copy = super()._make_copy()  # type: ignore[no-untyped-call]
            copy.made_with = (*self.made_with[:1], copy._scopes or self.made_with[1], self.made_with[2])
            return copy

        def __reduce__(self) -> Any:
            return _service_account, self.made_with

    return AccountCredentials


@cache
def _gspread_http_class() -> Any:
    from gspread.http_client import HTTPClient

    class ConnectionHTTPClient(HTTPClient):
        """Sheets have it in them: it is pickled as what it was made from."""

        def __reduce__(self) -> Any:
            return _gspread_http, self.auth.made_with[:1]  # type: ignore[attr-defined]

    return ConnectionHTTPClient


def _gspread_http(connection: str) -> Any:
    return gspread_client(connection).http_client
