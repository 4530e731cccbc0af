"""The API's description, OpenAPI 3.1, from the table of routes."""

import re
from collections.abc import Sequence
from typing import Any

import msgspec

from autokitteh_server.api.event_stream import EVENT_STREAM, EventStream
from autokitteh_server.api.refusals import JSON
from autokitteh_server.api.route import NoQuery, Route
from autokitteh_server.core.api_types.values import Failure

_REFS = "#/components/schemas/{name}"

#: Statuses with which any route may answer, and what they mean.
_FAILURES = {
    "400": "Something given is not usable",
    "401": "It is not known who asks",
    "403": "Who asks may not",
    "404": "There is no such thing",
    "409": "Not possible in the present state",
    "413": "Too large",
    "415": "Not JSON",
    "421": "This server is not that host",
    "500": "A mistake of the server's",
    "503": "Not possible just now",
}

_WITHOUT_BODY = {"413", "415"}


def make_document(routes: Sequence[Route], prefix: str, version: str) -> dict[str, Any]:
    """The document for routes below a path."""
    kinds = [kind for route in routes for kind in _kinds(route)] + [Failure]
    unique = list(dict.fromkeys(kinds))
    schemas, components = msgspec.json.schema_components(unique, ref_template=_REFS)
    schema_of = dict(zip(unique, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(prefix + route.path, {})[route.method.lower()] = _operation(route, schema_of)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "autokitteh",
            "version": version,
            "description": "Self-hosted workflow automation. Errors all have one shape: `Failure`.",
        },
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer", "description": "`ak_...`"}},
        },
        "security": [{"token": []}],
    }


def _kinds(route: Route) -> list[Any]:
    shape = route.shape
    return [kind for kind in (shape.body, shape.response) if kind is not None and kind is not EventStream]


def _operation(route: Route, schema_of: dict[Any, Any]) -> dict[str, Any]:
    shape = route.shape
    operation: dict[str, Any] = {
        "operationId": route.operation_id,
        "summary": route.summary,
        "description": f"{_plain(route.handler.__doc__ or route.summary)}\n\nScope: `{route.scope}`.",
        "tags": [route.operation_id.partition("_")[0]],
        "parameters": [*map(_path_parameter, shape.path), *_query_parameters(shape.query)],
        "responses": _responses(route, schema_of),
    }
    if shape.body is not None:
        operation["requestBody"] = {"required": True, "content": {JSON: {"schema": schema_of[shape.body]}}}
    return operation


def _responses(route: Route, schema_of: dict[Any, Any]) -> dict[str, Any]:
    failures = {
        status: {"description": meaning, "content": {JSON: {"schema": schema_of[Failure]}}}
        for status, meaning in _FAILURES.items()
        if route.shape.body is not None or status not in _WITHOUT_BODY
    }
    return {_status(route): _success(route, schema_of), **failures}


def _status(route: Route) -> str:
    return "204" if route.shape.response is None else str(route.status)


def _success(route: Route, schema_of: dict[Any, Any]) -> dict[str, Any]:
    response = route.shape.response
    if response is None:
        return {"description": "Done"}
    if response is EventStream:
        return {"description": "Events as they happen", "content": {EVENT_STREAM: {}}}
    return {"description": "Done", "content": {JSON: {"schema": schema_of[response]}}}


def _path_parameter(name: str) -> dict[str, Any]:
    schema = {"type": "string", "minLength": 1, "maxLength": 300}
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _query_parameters(query: type[msgspec.Struct]) -> list[dict[str, Any]]:
    if query is NoQuery:
        return []
    (schema,), components = msgspec.json.schema_components([query], ref_template="{name}")
    own = components[schema["$ref"]]
    required = own.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": _inline(each, components)}
        | ({"description": each["description"]} if "description" in each else {})
        for name, each in own["properties"].items()
    ]


def _inline(schema: Any, components: dict[str, Any]) -> Any:
    """A schema with what it refers to in place. Of `null` nothing is left: it is the parameter's absence."""
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        return {name: value for name, value in components[schema["$ref"]].items() if name != "title"}
    if "anyOf" in schema:
        kinds = [_inline(each, components) for each in schema["anyOf"] if each != {"type": "null"}]
        rest = {name: value for name, value in schema.items() if name not in ("anyOf", "default")}
        return kinds[0] | rest if len(kinds) == 1 else {"anyOf": kinds} | rest
    return schema


def _plain(docstring: str) -> str:
    return re.sub(r"\s*\n\s*", " ", docstring.strip())
