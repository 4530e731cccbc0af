"""The API's own description: valid, complete, and what the server really does.

That answers fit it is checked with each answer that a test here gets; see stage.py.
"""

import re

import httpx
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from api.stage import Stage
from autokitteh_server.api.app import ROUTES, make_openapi
from autokitteh_server.api.route import PREFIX, Route

DOCUMENT = make_openapi()


def test_it_is_valid() -> None:
    """By the rules of OpenAPI 3.1."""
    OpenAPIV31SpecValidator(DOCUMENT).validate()


def test_the_server_gives_it(stage: Stage) -> None:
    """To anyone on this machine, without a token."""
    assert httpx.get(f"{stage.url}{PREFIX}/openapi.json", trust_env=False).json() == DOCUMENT


@pytest.mark.parametrize("route", ROUTES, ids=lambda route: route.operation_id)
def test_each_route_is_described(route: Route) -> None:
    """With a summary, a description, its scope, every part of its path, and all errors in the one shape."""
    operation = DOCUMENT["paths"][PREFIX + route.path][route.method.lower()]

    assert operation["summary"] and f"Scope: `{route.scope}`" in operation["description"]
    parts = {each["name"] for each in operation["parameters"] if each["in"] == "path"}
    assert parts == set(re.findall(r"\{(\w+)\}", route.path))
    for status, response in operation["responses"].items():
        if int(status) >= 400:
            assert response["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/Failure"}


def test_names_of_operations_are_their_own() -> None:
    """Programs that make clients name functions by them."""
    names = [route.operation_id for route in ROUTES]

    assert len(names) == len(set(names))


def test_nothing_else_is_described() -> None:
    """As many operations as routes."""
    assert sum(len(operations) for operations in DOCUMENT["paths"].values()) == len(ROUTES)
