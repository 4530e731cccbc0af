"""Whatever is wrong with a request, the answer is of the one shape, says what, and is no 500."""

import asyncio
import re
from typing import Any

import httpx
import pytest
from starlette.routing import Route as Plain

from api.stage import Stage
from autokitteh_server.api.app import ROUTES, make_app
from autokitteh_server.api.guard import AllowedHosts
from autokitteh_server.api.log_hub import LogHub
from autokitteh_server.api.route import NoQuery, Route

WITH_BODY = [route for route in ROUTES if route.shape.body is not None]
IDS = {"ids": lambda route: route.operation_id}


def error_of(response: httpx.Response, status: int) -> dict[str, str]:
    """The error in an answer. Its shape has been checked by the client."""
    assert response.status_code == status, response.text
    content = response.json()
    assert list(content) == ["error"] and sorted(content["error"]) == ["code", "message", "remedy"]
    assert content["error"]["code"] and content["error"]["message"]
    found: dict[str, str] = content["error"]
    return found


def path_of(route: Route, name: str = "nobody") -> str:
    """A route's path, with names that nothing has."""
    return re.sub(r"\{(\w+)\}", name, route.path)


def query_of(route: Route) -> dict[str, str]:
    """What a route's query must have."""
    required = {"owner": "nobody", "key": "k"}
    return {name: value for name, value in required.items() if name in route.shape.query.__struct_fields__}


@pytest.mark.parametrize("route", ROUTES, **IDS)
def test_without_a_token(stage: Stage, route: Route) -> None:
    """Each route asks who it is before all else, whatever the rest of the request is like."""
    response = stage.plain().request(route.method, path_of(route), content=b"[")

    assert error_of(response, 401)["code"] == "unauthenticated"
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("route", [route for route in ROUTES if "{" in route.path], **IDS)
def test_of_nothing(stage: Stage, route: Route) -> None:
    """A name that nothing has is told, in the same words as to everyone."""
    bodies: dict[str, dict[str, Any]] = {"put": {"value": "1"}, "update": {"call": "a.py:b"}, "stop": {}}
    body = bodies.get(route.operation_id.partition("_")[2])

    response = stage.http.request(route.method, path_of(route), params=query_of(route), json=body)

    assert "nobody" in error_of(response, 404)["message"]


@pytest.mark.parametrize("name", ["a%00b", "%ED%B0%80", "x" * 400, "%F0%9F%98%BA", "a%2Fb"])
@pytest.mark.parametrize("route", [route for route in ROUTES if "{" in route.path], **IDS)
def test_of_what_cannot_be(stage: Stage, route: Route, name: str) -> None:
    """Names with odd characters, and long ones, are those of nothing."""
    body = {"value": "1"} if route.method == "PUT" else {} if route.shape.body else None

    response = stage.http.request(route.method, path_of(route, name), params=query_of(route), json=body)

    assert response.status_code in (400, 404)


#: Requests that say enough by where they go.
NEED_NOTHING = ("sessions_stop", "triggers_update", "connections_init", "connections_begin_oauth")


@pytest.mark.parametrize("route", WITH_BODY, **IDS)
@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", None), (b"{", "not JSON"), (b"\xff", "not JSON"), (b"[]", "body: expected `object`, got `array`"),
        (b'{"oops": 1}', "oops"), (b"[" * 100_000, None),
    ],
    ids=["empty", "cut off", "bytes", "array", "unknown field", "deep"],
)  # fmt: skip
def test_bad_body(stage: Stage, route: Route, body: bytes, said: str | None) -> None:
    """What is no object of the right fields is refused, with what and where."""
    headers = {"content-type": "application/json"}
    path = path_of(route)

    response = stage.http.request(route.method, path, params=query_of(route), content=body, headers=headers)

    if body == b"" and route.operation_id in NEED_NOTHING:
        error_of(response, 404)
        return
    error = error_of(response, 400)
    assert said is None or said in error["message"] or "missing required field" in error["message"]


@pytest.mark.parametrize("name", ["\\ud800", "a\\u0000b"])
def test_text_that_no_database_takes(stage: Stage, name: str) -> None:
    """Half characters and NUL are refused, not passed on."""
    body = b'{"name": "fine", "display_name": "' + name.encode() + b'"}'

    response = stage.http.post("/projects", content=body, headers={"content-type": "application/json"})

    assert error_of(response, 400)["code"] == "invalid_argument"


@pytest.mark.parametrize("route", WITH_BODY, **IDS)
def test_body_of_another_type(stage: Stage, route: Route) -> None:
    """Only JSON is taken."""
    response = stage.http.request(
        route.method, path_of(route), content=b"a=b", headers={"content-type": "application/x-www-form-urlencoded"}
    )

    error = error_of(response, 415)
    assert error["message"] == "the body must be JSON, not application/x-www-form-urlencoded"


@pytest.mark.parametrize("route", [route for route in WITH_BODY if route.body_bytes <= 1 << 20], **IDS)
def test_body_that_is_too_large(stage: Stage, route: Route) -> None:
    """It is refused by its announced length."""
    headers = {"content-type": "application/json"}
    content = b" " * ((1 << 20) + 1)
    response = stage.http.request(route.method, path_of(route), headers=headers, content=content)

    assert error_of(response, 413)["code"] == "too_large"


def test_body_that_grows_too_large(stage: Stage) -> None:
    """Also without an announced length."""
    pieces = (b" " * 65_536 for _ in range(20))

    response = stage.http.post("/projects", content=pieces, headers={"content-type": "application/json"})

    assert error_of(response, 413)["message"] == "the body has more than 1,048,576 bytes"


@pytest.mark.parametrize("route", ROUTES, **IDS)
def test_bad_query(stage: Stage, route: Route) -> None:
    """Unknown parameters, and such that are given twice, are named."""
    unknown = stage.http.request(route.method, path_of(route), params=query_of(route) | {"oops": "1"}, json={})
    twice = stage.http.request(route.method, path_of(route), params=[("x", "1"), ("x", "2")], json={})

    assert "oops" in error_of(unknown, 400)["message"]
    assert error_of(twice, 400)["message"] == "query: 'x' is given twice"


@pytest.mark.parametrize("route", [route for route in ROUTES if route.path.count("/") == 1], **IDS)
@pytest.mark.parametrize(("name", "value"), [("limit", "0"), ("limit", "501"), ("limit", "x"), ("cursor", "%%%")])
def test_bad_page(stage: Stage, route: Route, name: str, value: str) -> None:
    """Limits are 1 to 500, and cursors are those that the server has given."""
    if route.method != "GET" or route.shape.query is NoQuery:
        return
    response = stage.http.get(route.path, params=query_of(route) | {name: value, **query_of(route)})

    if name == "limit" or "owner" not in query_of(route):
        assert error_of(response, 400)["message"].startswith(f"{name}: ")


def test_unknown_path(stage: Stage) -> None:
    """It says where to look."""
    error = error_of(stage.http.get("/nothing"), 404)

    assert error == {
        "code": "not_found",
        "message": "there is nothing at /api/v1/nothing",
        "remedy": "GET /api/v1/openapi.json lists what there is.",
    }


def test_slash_at_the_end(stage: Stage) -> None:
    """Is not another way to say the same."""
    error_of(stage.http.get("/projects/"), 404)


def test_wrong_method(stage: Stage) -> None:
    """It says which there are, also as a header."""
    response = stage.http.put("/sessions", json={})

    assert error_of(response, 405)["code"] == "method_not_allowed"
    assert {each.strip() for each in response.headers["allow"].split(",")} == {"GET", "HEAD", "POST"}


def test_what_nobody_foresaw(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """The caller gets a number, and the log has all of it under that number."""
    secret = "a detail that is nobody's business"
    answer = _failing(stage, RuntimeError(secret))

    error = error_of(answer, 500)
    number = error["message"].rpartition(" ")[2]
    assert secret not in answer.text and "Traceback" not in answer.text
    assert number in caplog.text and secret in caplog.text


def _failing(stage: Stage, error: Exception) -> httpx.Response:
    """The answer of an application with a route that fails."""

    def fail(request: object) -> None:
        raise error

    hosts = AllowedHosts("127.0.0.1")
    app = make_app(stage.services, hub=LogHub(), hosts=hosts, extra_routes=[Plain("/fail", fail)])

    async def ask() -> httpx.Response:
        transport = httpx.ASGITransport(app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
            return await client.get("/fail")

    return asyncio.run(ask())
