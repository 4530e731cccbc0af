"""Connections to the tests' provider: a store, a clock that stands still, and what browsers do."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx

from accounts.provider import CLIENT_ID, CLIENT_SECRET, Provider
from autokitteh_server.accounts.accounts import Accounts, open_accounts
from autokitteh_server.accounts.keeping import load, save
from autokitteh_server.accounts.oauth import Finished, Sent
from autokitteh_server.accounts.web import Web
from autokitteh_server.core.clock import SystemIds, VirtualClock, system_slug
from autokitteh_server.core.entities import Connection, Project
from autokitteh_server.core.timestamps import format_time
from autokitteh_server.integrations.spec import AuthType, Code, Field, Grant, Integration, OAuth2, TokenAuth
from autokitteh_server.secretbox.box import Box
from autokitteh_server.storage import connections, projects, variables
from autokitteh_server.storage.database import Database

#: 2025-06-01 00:00 UTC.
START = 1_748_736_000_000_000
MINUTE = 60_000_000
PUBLIC_URL = "https://ak.example.com"

ENVIRON = {"SERVICE_CLIENT_ID": CLIENT_ID, "SERVICE_CLIENT_SECRET": CLIENT_SECRET}

_PRIVATE = (
    Field(name="client_id", title="Client ID", variable="private_client_id"),
    Field(name="client_secret", title="Client secret", variable="private_client_secret", is_secret=True),
)


def integration_of(provider: Provider, name: str = "service", **oauth: Any) -> Integration:
    """A service whose default and private app and minted tokens are the provider's."""
    default = OAuth2(
        **{
            "authorize_url": f"{provider.url}/authorize",
            "token_url": f"{provider.url}/token",
            "scopes": ("read", "write"),
            "app": "SERVICE",
            **oauth,
        }
    )
    minted = replace(default, authorize_url="", scopes=(), app="", token_auth=TokenAuth.BASIC)
    github = replace(
        default,
        grant=Grant.GITHUB_APP,
        authorize_url=f"{provider.url}/apps/{{app_name}}/installations/new",
        token_url=f"{provider.url}/app/installations/{{install_id}}/access_tokens",
    )
    auth = (
        AuthType(name="oauthDefault", title="OAuth v2 - Default app", oauth=default, aliases=("oauth",)),
        AuthType(name="oauthPrivate", title="OAuth v2 - Private app", fields=_PRIVATE, oauth=replace(default, app="")),
        AuthType(
            name="zoom", title="Server to server", fields=_PRIVATE, oauth=replace(minted, grant=Grant.ZOOM_ACCOUNT)
        ),
        AuthType(
            name="client",
            title="Client credentials",
            fields=_PRIVATE,
            oauth=replace(
                minted,
                grant=Grant.CLIENT_CREDENTIALS,
                token_auth=TokenAuth.BODY,
                token_params={"audience": "https://{domain}/api/"},
            ),
        ),
        AuthType(
            name="jsonKey",
            title="Service account",
            oauth=replace(minted, grant=Grant.SERVICE_ACCOUNT, scopes=("https://scope/a", "https://scope/b")),
        ),
        AuthType(name="app", title="GitHub app", oauth=github),
        AuthType(name="appPrivate", title="Private GitHub app", fields=_PRIVATE, oauth=github),
        AuthType(name="pat", title="Token", fields=(Field(name="pat", title="Token", is_secret=True),)),
    )
    return Integration(name=name, title="The Service", about="", docs_url="", auth=auth, check=None)


@dataclass
class Marks:
    """How connections stand."""

    told: list[tuple[str, Code, str]] = field(default_factory=list)

    def __call__(self, connection_id: str, code: Code, message: str) -> None:
        self.told.append((connection_id, code, message))


class Stage:
    """One server's part in it. Several may share a database."""

    def __init__(
        self,
        database: Database,
        provider: Provider,
        *,
        clock: VirtualClock | None = None,
        environ: Mapping[str, str] = ENVIRON,
        name: str = "service",
        timeout_s: float = 10.0,
        **oauth: Any,
    ) -> None:
        self.database = database
        self.provider = provider
        self.clock = clock or VirtualClock(START)
        self.box = Box([b"k" * 32])
        self.marks = Marks()
        self.name = name
        integration = integration_of(provider, name, **oauth)
        self.accounts: Accounts = open_accounts(
            database=database,
            box=self.box,
            clock=self.clock,
            new_slug=system_slug,
            environ=environ,
            public_url=PUBLIC_URL,
            find_integration=lambda _: integration,
            mark=self.marks,
            web=Web(timeout_s=timeout_s),
        )

    def connection(self, **values: str) -> Connection:
        """A connection `conn` with these variables; those of tokens and keys are secret."""
        new_id = SystemIds(self.clock)
        now = self.clock.now_us()
        project = Project(id=new_id("prj"), name=f"p_{new_id('prj')}", created_at=now)
        made = Connection(
            id=new_id("con"),
            project_id=project.id,
            name="conn",
            integration=self.name,
            created_at=now,
            updated_at=now,
        )
        secret = ("private_client_secret", "private_key", "JSON", "oauth_access_token", "oauth_refresh_token")

        def write(conn: Any) -> None:
            projects.get_or_create(conn, project)
            connections.create(conn, made)
            save(conn, self.box, made.id, values, now=now - 60 * MINUTE, secret=secret)

        self.database.write(write)
        return made

    def connected(self, *, left_s: float = 3600) -> Connection:
        """A connection with a token of the provider's, which is good for so long yet."""
        self.provider.good_access, refresh = "s3cr3t-access-0", "s3cr3t-refresh-0"
        self.provider.good_refresh.add(refresh)
        at = self.clock.now_us() + int(left_s * 1e6)
        return self.connection(
            auth_type="oauthDefault",
            oauth_access_token="s3cr3t-access-0",
            oauth_refresh_token=refresh,
            oauth_expiry=format_time(at),
        )

    def values(self, connection: Connection) -> dict[str, str]:
        """The connection's variables, opened."""
        return dict(self.database.read(lambda conn: load(conn, self.box, connection.id)).values)

    def stored(self, connection: Connection) -> dict[str, str]:
        """The same as they are in the store."""
        found = self.database.read(lambda conn: variables.of_owners(conn, [connection.id]))
        return {var.name: var.value for var in found}

    def start(self, connection: Connection, auth_type: str = "oauthDefault") -> Sent:
        """Begin, and send a browser to the service."""
        query = query_of(self.accounts.oauth.begin(connection, auth_type).url)
        return self.accounts.oauth.start(self.name, query["cid"], query["ticket"])

    def agree(self, sent: Sent) -> dict[str, str]:
        """The person says yes; what the browser comes back with."""
        answer = httpx.get(sent.location, follow_redirects=False)
        assert answer.status_code == 302, answer.status_code
        location = answer.headers["location"]
        assert location.startswith(f"{PUBLIC_URL}/oauth/redirect/{self.name}?")
        return query_of(location)

    def finish(self, sent: Sent, query: Mapping[str, str]) -> Finished:
        """The same browser comes back."""
        return self.accounts.oauth.finish(self.name, query, {sent.cookie: sent.value})

    def connect(self, connection: Connection, auth_type: str = "oauthDefault") -> Finished:
        """All of it."""
        sent = self.start(connection, auth_type)
        return self.finish(sent, self.agree(sent))


def query_of(url: str) -> dict[str, str]:
    """The parameters of a URL."""
    return dict(parse_qsl(urlsplit(url).query))
