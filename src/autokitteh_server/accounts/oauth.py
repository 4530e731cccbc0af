"""How a person lets a connection use their account: sent to the service with a state, and back with a code.

Each step is good once and for ten minutes. A ticket, which only callers of the API can have made, begins; the state is
sealed with the server's key, so that nobody else makes one; and the cookie that is set on the way out must be there on
the way back, so that nobody can be made to finish what another began.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote, urlencode

from autokitteh_server.accounts import keeping
from autokitteh_server.accounts.errors import Declined, NotConnected, OtherBrowser, StaleLink
from autokitteh_server.accounts.grants import Grants
from autokitteh_server.accounts.installations import read_installation
from autokitteh_server.accounts.keeping import way_of
from autokitteh_server.accounts.learned import Account, learn, read_answer
from autokitteh_server.accounts.refresh import FindIntegration, Mark, note
from autokitteh_server.accounts.tokens import SECRET, read_token
from autokitteh_server.accounts.web import shown
from autokitteh_server.core.clock import Clock
from autokitteh_server.core.crashpoints import crash_point
from autokitteh_server.core.entities import Connection, Flow
from autokitteh_server.core.errors import NotFound
from autokitteh_server.core.ids import SlugSource
from autokitteh_server.core.masking import masker
from autokitteh_server.integrations.spec import AuthType, Code, Grant, Integration, OAuth2
from autokitteh_server.secretbox.box import Box, CannotOpen
from autokitteh_server.storage import connections, oauth_flows
from autokitteh_server.storage.connection import Connection as Conn
from autokitteh_server.storage.database import Database

#: How long a person has for each step.
LASTS_US: Final = 600_000_000

_TICKET: Final = "ticket"
_STATE: Final = "state"

#: As whose text states and verifiers are sealed.
_OWNER: Final = "oauth"

_COOKIE: Final = "ak_oauth_"

_AGAIN: Final = "Begin again: `ak connection init`."


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """Where a person begins, once."""

    url: str = field(repr=False)  # reprs end up in logs
    expires_at: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Sent:
    """Where a browser is sent, and the cookie with which it comes back."""

    location: str = field(repr=False)
    cookie: str
    value: str = field(repr=False)
    lasts_s: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Finished:
    """A connection that is connected now."""

    connection: Connection
    title: str  # of the service
    cookie: str  # which is good for nothing any more


class OAuth:
    """Threads may share it. What comes from browsers is not trusted, and leaves no trace until it has proved good."""

    def __init__(
        self,
        *,
        database: Database,
        box: Box,
        clock: Clock,
        new_slug: SlugSource,
        grants: Grants,
        find_integration: FindIntegration,
        mark: Mark,
        public_url: str,
    ) -> None:
        self._database = database
        self._box = box
        self._clock = clock
        self._new_slug = new_slug
        self._grants = grants
        self._find_integration = find_integration
        self._mark = mark
        self._public_url = public_url

    def begin(self, connection: Connection, auth_type: str = "") -> Begun:
        """A link with which one browser can begin, once. `auth_type`: "" for the one it has, or the only one.

        Raises NotConnected if the connection lacks what the service must be told, NotFound.
        """
        kept = self._database.read(lambda conn: keeping.load(conn, self._box, connection.id))
        integration = self._find_integration(connection.integration)
        auth, oauth = way_of(integration, connection, auth_type or kept.values.get("auth_type", ""))
        self._authorize_url(integration, auth, oauth, kept.values, state="-", verifier="")
        ticket = self._new_slug()
        flow = self._flow(_TICKET, ticket, connection.id, auth.name)
        self._database.write(lambda conn: oauth_flows.create(conn, flow, now=self._clock.now_us()))
        query = urlencode({"cid": connection.id, "ticket": ticket})
        path = f"/oauth/start/{quote(connection.integration)}"
        return Begun(url=f"{self._public_url}{path}?{query}", expires_at=flow.expires_at)

    def start(self, integration_name: str, connection_id: str, ticket: str) -> Sent:
        """Send a browser to the service. Raises StaleLink, and what `begin` raises."""
        digest = _digest(ticket)
        flow, connection = self._database.read(lambda conn: self._find(conn, digest, _TICKET))
        if connection.id != connection_id or connection.integration != integration_name:
            raise _stale()
        kept = self._database.read(lambda conn: keeping.load(conn, self._box, connection.id))
        integration = self._find_integration(connection.integration)
        auth, oauth = way_of(integration, connection, flow.auth_type)
        secret, cookie = self._new_slug(), self._new_slug()
        verifier = self._new_slug() + self._new_slug() if oauth.uses_pkce else ""
        next_flow = self._flow(_STATE, secret, connection.id, auth.name, browser=_digest(cookie), verifier=verifier)
        state = self._box.seal(f"{secret} {next_flow.expires_at}", owner_id=_OWNER, name=_STATE)
        location = self._authorize_url(integration, auth, oauth, kept.values, state=state, verifier=verifier)

        def write(conn: Conn) -> None:
            if not oauth_flows.use(conn, digest):
                raise _stale()
            oauth_flows.create(conn, next_flow, now=self._clock.now_us())

        self._database.write(write)
        return Sent(location=location, cookie=_cookie_of(next_flow), value=cookie, lasts_s=LASTS_US // 1_000_000)

    def finish(self, redirect: str, query: Mapping[str, str], cookies: Mapping[str, str]) -> Finished:
        """Take a browser that comes back from the service, and store what the service gives for its code.

        Raises Declined, StaleLink, OtherBrowser, NotConnected, TokenRefused, ServiceUnavailable; then nothing has
        changed, but that the state is used up if it was good.
        """
        if query.get("error") or query.get("error_description"):
            raise self._declined(redirect, query, cookies)
        if not query.get("state"):
            raise StaleLink("there is nothing to finish here", "Services send browsers here, with a code. " + _AGAIN)
        flow, connection, integration, auth, oauth = self._check(redirect, query["state"], cookies)
        # Before the service is asked: whatever happens then, nobody can try the same twice.
        if not self._database.write(lambda conn: oauth_flows.use(conn, flow.digest)):
            raise _stale()
        kept = self._database.read(lambda conn: keeping.load(conn, self._box, connection.id))
        crash_point("oauth.before_exchange")
        values = self._obtain(integration, auth, oauth, flow, kept.values, query)
        crash_point("oauth.after_exchange")

        def write(conn: Conn) -> None:
            connections.get(conn, connection.id)  # it may have been deleted meanwhile
            keeping.save(conn, self._box, connection.id, values, now=self._clock.now_us(), secret=SECRET)

        # Not while somebody renews the old token, whose answer would come after ours.
        with self._database.alone(f"token {connection.id}"):
            self._database.write(write)
        crash_point("oauth.after_commit")
        note(self._mark, connection, Code.OK, "connected")
        return Finished(connection=connection, title=integration.title, cookie=_cookie_of(flow))

    def _obtain(
        self,
        integration: Integration,
        auth: AuthType,
        oauth: OAuth2,
        flow: Flow,
        variables: Mapping[str, str],
        query: Mapping[str, str],
    ) -> dict[str, str]:
        """The variables that a connection gets for what a browser came back with."""
        now = self._clock.now_us()
        if oauth.grant is Grant.GITHUB_APP:
            found = read_installation(self._grants, oauth, variables, query, now)
            token = self._grants.renew(auth, oauth, {**variables, **found}, None, now)
            masker.add(token.access)
            return {**token.to_variables(), **found, "auth_type": auth.name}
        if not query.get("code"):
            raise Declined("the service has sent no code", _AGAIN)
        answer = read_answer(
            self._grants.exchange(
                auth,
                oauth,
                variables,
                code=query["code"],
                verifier=self._open_verifier(flow),
                redirect=self._redirect_url(integration, oauth),
            )
        )
        token = read_token(answer, now=now)
        masker.add(token.access, token.refresh)
        account = Account(variables=variables, answer=answer, token=token, web=self._grants.web)
        return {**token.to_variables(), **learn(integration.name, account), "auth_type": auth.name}

    def _check(
        self, redirect: str, state: str, cookies: Mapping[str, str]
    ) -> tuple[Flow, Connection, Integration, AuthType, OAuth2]:
        """What a state belongs to. Raises StaleLink, OtherBrowser."""
        digest = self._open_state(state)
        flow, connection = self._database.read(lambda conn: self._find(conn, digest, _STATE))
        if not hmac.compare_digest(_digest(cookies.get(_cookie_of(flow), "")), flow.browser):
            raise OtherBrowser(
                "this was begun in another browser, or too long ago",
                "Nothing was changed. Finish it where it was begun, with cookies allowed, or begin again: "
                "`ak connection init`.",
            )
        integration = self._find_integration(connection.integration)
        auth, oauth = way_of(integration, connection, flow.auth_type)
        if redirect != _redirect_name(integration, oauth):
            raise _stale()  # a code of one service must not be shown to another
        return flow, connection, integration, auth, oauth

    def _declined(self, redirect: str, query: Mapping[str, str], cookies: Mapping[str, str]) -> Declined:
        """Why the service says no, in its words if it was asked: anybody can make a link to here with words in it."""
        masker.add(query.get("code", ""))
        try:
            flow, *_ = self._check(redirect, query.get("state", ""), cookies)
        except (StaleLink, OtherBrowser, NotConnected, NotFound):
            return Declined("the service has sent the browser back with an error", "Nothing was changed. " + _AGAIN)
        self._database.write(lambda conn: oauth_flows.use(conn, flow.digest))
        code, said = shown(query.get("error", "")), shown(query.get("error_description", ""))
        return Declined(f"the service says: {said or code}" + (f" ({code})" if said and code else ""), _AGAIN)

    def _find(self, conn: Conn, digest: str, kind: str) -> tuple[Flow, Connection]:
        flow = oauth_flows.find(conn, digest, kind, now=self._clock.now_us())
        if flow is None:
            raise _stale()
        return flow, connections.get(conn, flow.connection_id)

    def _flow(
        self, kind: str, secret: str, connection_id: str, auth_type: str, *, browser: str = "", verifier: str = ""
    ) -> Flow:
        return Flow(
            digest=_digest(secret),
            kind=kind,
            connection_id=connection_id,
            auth_type=auth_type,
            browser=browser,
            verifier=self._box.seal(verifier, owner_id=_OWNER, name="verifier") if verifier else "",
            expires_at=self._clock.now_us() + LASTS_US,
        )

    def _open_state(self, state: str) -> str:
        """The digest of what a state has in it. Raises StaleLink for one that was not made here, and one too old."""
        try:
            secret, _, expires_at = self._box.open(state, owner_id=_OWNER, name=_STATE).partition(" ")
        except CannotOpen:
            raise StaleLink("this way back was not made by this server", "Nothing was changed. " + _AGAIN) from None
        if self._clock.now_us() >= int(expires_at):
            raise StaleLink("this took longer than ten minutes", "Nothing was changed. " + _AGAIN)
        return _digest(secret)

    def _open_verifier(self, flow: Flow) -> str:
        return self._box.open(flow.verifier, owner_id=_OWNER, name="verifier") if flow.verifier else ""

    def _authorize_url(
        self,
        integration: Integration,
        auth: AuthType,
        oauth: OAuth2,
        variables: Mapping[str, str],
        *,
        state: str,
        verifier: str,
    ) -> str:
        if not oauth.authorize_url:
            raise NotConnected(f"{auth.title} needs nobody to agree", "Say `ak connection test`, which gets a token.")
        redirect = self._redirect_url(integration, oauth)
        return self._grants.authorize_url(auth, oauth, variables, state=state, verifier=verifier, redirect=redirect)

    def _redirect_url(self, integration: Integration, oauth: OAuth2) -> str:
        return f"{self._public_url}/oauth/redirect/{quote(_redirect_name(integration, oauth))}"


def _redirect_name(integration: Integration, oauth: OAuth2) -> str:
    return oauth.redirect or integration.name


def _cookie_of(flow: Flow) -> str:
    """A name for each, so that two can go on at the same time in one browser."""
    return _COOKIE + flow.digest[:16]


def _digest(secret: str) -> str:
    # They are random, of 130 bits: nobody finds one by trying, so nothing slower is needed.
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _stale() -> StaleLink:
    return StaleLink("this link was used already, or is older than ten minutes", "Nothing was changed. " + _AGAIN)
