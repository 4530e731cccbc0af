"""Connections made ready, and how they stand, on either kind of store."""

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from autokitteh_server.accounts.errors import ServiceUnavailable, TokenRefused
from autokitteh_server.core.entities import Connection
from autokitteh_server.core.errors import InvalidArgument, NotFound, ServerError
from autokitteh_server.integrations.http import ServiceHttp
from autokitteh_server.integrations.spec import Answer, Code
from autokitteh_server.operations import connecting, connections, projects, variables
from autokitteh_server.operations.services import Services
from operations.stage import MINUTE, START, Stage

ME = b'{"data": {"name": "Ann"}}'
VIEWER = b'{"data": {"viewer": {"id": "u", "name": "Ann", "organization": {"id": "o", "name": "Acme"}}}}'


class Way:
    """A way to a service that answers always the same, and does something meanwhile."""

    def __init__(self, body: bytes, meanwhile: Callable[[], object]) -> None:
        self.answer = Answer(status=200, headers={}, body=body)
        self.meanwhile = meanwhile

    def __call__(self, method: str, url: str, **options: object) -> Answer:
        self.meanwhile()
        return self.answer

    def now_s(self) -> int:
        return START // 1_000_000


def answered(stage: Stage, body: bytes, meanwhile: Callable[[], object] = lambda: None) -> Services:
    """Services whose services answer this."""
    return replace(stage.services, http_for=lambda api, base_url: Way(body, meanwhile))


def made(stage: Stage, integration: str) -> str:
    projects.create(stage.services, "p")
    connections.create(stage.services, "p", "conn", integration)
    return "p/conn"


def values(stage: Stage, which: str) -> Mapping[str, str | None]:
    return {each.name: each.value for each in variables.list_all(stage.services, which, reveal=True)}


def test_initialize_stores_and_tries(stage: Stage) -> None:
    """Secrets are sealed, what was learnt is kept, and the status with its time."""
    which = made(stage, "linear")

    done = connecting.initialize(answered(stage, VIEWER), which, "", {"api_key": "lin_api_1"})

    assert done.standing.status.message == "connected as Ann in Acme"
    assert done.standing.checked_at == START
    assert values(stage, which) == {
        "api_key": "lin_api_1",
        "auth_type": "apiKey",
        "org_id": "o",
        "org_name": "Acme",
        "viewer_id": "u",
        "viewer_name": "Ann",
    }
    secrets = {each.name for each in variables.list_all(stage.services, which) if each.is_secret}
    assert secrets == {"api_key"}
    stage.go_to(START + MINUTE)
    assert connecting.get(stage.services, which) == replace(
        done.standing,
        connection=connections.get(stage.services, which),
        status=replace(done.standing.status, variables={}),
    )


def test_nothing_is_stored_of_a_wrong_form(stage: Stage) -> None:
    """One wrong field, and all stays as it was."""
    which = made(stage, "aws")

    with pytest.raises(InvalidArgument, match="secret_key is missing"):
        connecting.initialize(answered(stage, ME), which, "", {"region": "eu-central-1", "access_key": "AKIA"})

    assert values(stage, which) == {}


def test_what_was_tried_is_not_what_there_is(stage: Stage) -> None:
    """A variable that changes while the service thinks makes its answer void."""
    which = made(stage, "asana")
    connecting.initialize(answered(stage, ME), which, "", {"pat": "t0ken-1"})

    def change() -> None:
        stage.go_to(stage.clock.now_us() + MINUTE)
        variables.set_value(stage.services, which, "pat", "t0ken-2")

    told = connecting.test(answered(stage, b"nonsense", change), which)

    assert told.status.code is Code.ERROR
    now = connecting.get(stage.services, which)
    assert (now.status.code, now.checked_at) == (Code.WARNING, None)


def test_a_token_that_is_renewed_changes_nothing(stage: Stage) -> None:
    """OAuth renews tokens every hour; the status stays what it was."""
    which = made(stage, "linear")
    for name in ("oauth_access_token", "auth_type"):
        variables.set_value(stage.services, which, name, "oauthDefault")
    assert connecting.test(answered(stage, VIEWER), which).status.code is Code.OK
    stage.go_to(START + MINUTE)

    variables.set_value(stage.services, which, "oauth_access_token", "another")

    assert connecting.get(stage.services, which).status.code is Code.OK


def test_with_another_key(stage: Stage) -> None:
    """Connections are listed also where their secrets cannot be opened."""
    which = made(stage, "asana")
    connecting.initialize(answered(stage, ME), which, "", {"pat": "t0ken-1"})

    assert [each.auth_type for each in connecting.list_all(stage.with_other_key())] == ["pat"]


def test_every_integration_has_a_standing(stage: Stage) -> None:
    """Whatever a connection is to, it can be listed."""
    projects.create(stage.services, "p")
    for spec in connecting.integrations():
        connections.create(stage.services, "p", spec.name, spec.name)

    standings = connecting.list_all(stage.services, "p")

    assert {each.status.code for each in standings} == {Code.INIT_REQUIRED, Code.WARNING}
    assert len(standings) == len(connecting.integrations())


def test_services_are_asked_where_base_url_says(stage: Stage) -> None:
    """What `base_url` stands for has the connection's own variables in it."""
    seen = []

    def http_for(api: str, base_url: str) -> ServiceHttp:
        seen.append((api, base_url))
        return ServiceHttp(now_s=lambda: 0, api=api, base_url=base_url)

    which = made(stage, "auth0")
    form = {"client_id": "i", "client_secret": "s", "auth0_domain": "acme.auth0.com", "base_url": "http://127.0.0.1:1"}
    done = connecting.initialize(replace(stage.services, http_for=http_for), which, "", form)

    assert seen == [("https://acme.auth0.com", "http://127.0.0.1:1")]
    assert done.standing.status.code is Code.WARNING


class TokensOf:
    """Gives a connection a token, or does not."""

    def __init__(self, stage: Stage, error: ServerError | None = None) -> None:
        self.stage = stage
        self.error = error

    def fresh(self, connection: Connection) -> None:
        if self.error is not None:
            raise self.error
        variables.set_value(self.stage.services, connection.id, "oauth_access_token", "fresh", is_secret=True)


def with_tokens(services: Services, tokens: TokensOf) -> Services:
    return replace(services, accounts=replace(services.accounts, tokens=tokens))  # type: ignore[arg-type]


ZOOM = {"account_id": "ac1", "client_id": "app-1", "client_secret": "hush-hush"}


def test_token_is_there_before_code_needs_it(stage: Stage) -> None:
    """Where the server itself gets tokens, there is one as soon as the connection has its credentials."""
    which = made(stage, "zoom")
    services = with_tokens(answered(stage, b'{"access_token": "x"}'), TokensOf(stage))

    done = connecting.initialize(services, which, "serverToServer", ZOOM)

    assert done.standing.status.code is Code.OK
    assert values(stage, which)["oauth_access_token"] == "fresh"
    assert connecting.get(stage.services, which).checked_at == START


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (TokenRefused("the service refuses: invalid_client", "Mend it."), Code.ERROR),
        (ServiceUnavailable("zoom.us has not answered in time", "Try again."), Code.WARNING),
    ],
)
def test_no_token_is_a_status(stage: Stage, error: ServerError, code: Code) -> None:
    """What is wrong with the token is what is wrong with the connection, and is stored as such."""
    which = made(stage, "zoom")

    done = connecting.initialize(with_tokens(answered(stage, b"{}"), TokensOf(stage, error)), which, "", ZOOM)

    assert done.standing.status.code is code
    assert error.message in done.standing.status.message
    assert done.standing.status.remedy == error.remedy
    assert connecting.get(stage.services, which).status == done.standing.status


def test_token_of_other_credentials_is_gone(stage: Stage) -> None:
    """A token that was had for the secret before does not hide that the new one is wrong."""
    which = made(stage, "zoom")
    connecting.initialize(with_tokens(answered(stage, b'{"access_token": "x"}'), TokensOf(stage)), which, "", ZOOM)
    refused = TokensOf(stage, TokenRefused("the service refuses: invalid_client"))

    done = connecting.initialize(
        with_tokens(answered(stage, b"{}"), refused), which, "", {"client_secret": "hush-hush-2"}
    )

    assert done.standing.status.code is Code.ERROR
    assert "oauth_access_token" not in values(stage, which)
    assert values(stage, which)["private_client_id"] == "app-1"


def test_credentials_that_are_set_by_hand_are_secret(stage: Stage) -> None:
    """Nobody has to know which of a connection's variables are; who says that one is not is heard."""
    which = made(stage, "slack")
    for name in ("private_bot_token", "team_id", "oauth_AccessToken"):
        variables.set_value(stage.services, which, name, "something")
    variables.set_value(stage.services, which, "private_app_token", "something", is_secret=False)
    variables.set_value(stage.services, "p", "private_bot_token", "something")

    assert [each.name for each in variables.list_all(stage.services, which) if each.is_secret] == [
        "oauth_AccessToken",
        "private_bot_token",
    ]
    assert not variables.get(stage.services, "p", "private_bot_token").is_secret


def test_what_is_generated_stays(stage: Stage) -> None:
    """What is in an address that somebody has entered elsewhere is made once, and goes with the way to authenticate."""
    which = made(stage, "github")
    services = answered(stage, b'{"login": "ann"}')

    connecting.initialize(services, which, "pat", {"pat": "t0ken-1"})
    key = values(stage, which)["pat_key"]
    connecting.initialize(services, which, "", {"pat": "t0ken-2", "secret": "s"})

    assert key is not None
    assert len(key) == 26
    assert values(stage, which)["pat_key"] == key
    assert not next(each for each in variables.list_all(stage.services, which) if each.name == "pat_key").is_secret


def test_what_is_generated_for_another_way(stage: Stage) -> None:
    """It is gone with that way; back at it, there is another one."""
    which = made(stage, "github")
    services = answered(stage, b'{"login": "ann"}')
    app = {"app_id": "1", "app_name": "a", "client_id": "c", "client_secret": "s", "private_key": "k"}

    connecting.initialize(services, which, "pat", {"pat": "t0ken-1"})
    key = values(stage, which)["pat_key"]
    with pytest.raises(NotFound):  # nobody can agree here; what was entered is stored before
        connecting.initialize(services, which, "oauthPrivate", app)
    assert "pat_key" not in values(stage, which)
    connecting.initialize(services, which, "pat", {"pat": "t0ken-1"})
    assert values(stage, which)["pat_key"] not in (key, None)
