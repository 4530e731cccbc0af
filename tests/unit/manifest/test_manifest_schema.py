"""The JSON Schema of manifests."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from autokitteh_server.core.manifest_schema import INTEGRATIONS, MANIFEST, SECTIONS
from autokitteh_server.core.manifest_schema import manifest_json_schema as make
from unit.manifest.manifest_samples import BAD_SHAPES, GOOD


def sections() -> Iterator[tuple[str, dict[str, Any]]]:
    """All mappings that the schema describes, by name."""
    schema = make()
    yield "manifest", schema
    yield from schema["$defs"].items()


def test_it_is_json_of_its_draft() -> None:
    """The schema is JSON, and says which draft it follows."""
    schema = json.loads(json.dumps(make()))
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert schema["required"] == ["version", "project"]


def test_every_field_is_described_and_no_other_allowed() -> None:
    """Editors can explain each field, and mark those that do not exist."""
    for name, section in sections():
        assert section["additionalProperties"] is False, name
        assert section["description"], name
        assert all(each["description"] for each in section["properties"].values()), name


def test_it_has_the_fields_that_the_reader_knows() -> None:
    """Schema and reader go by the same tables."""
    known = {each.noun: [field.name for field in each.fields] for each in (MANIFEST, *SECTIONS)}
    assert {name: list(section["properties"]) for name, section in sections()} == known


def test_choices_are_listed() -> None:
    """Editors can complete integrations and types."""
    definitions = make()["$defs"]
    assert definitions["connection"]["properties"]["integration"]["enum"] == list(INTEGRATIONS)
    assert "schedule" in definitions["trigger"]["properties"]["type"]["enum"]


@pytest.mark.parametrize("name", GOOD)
def test_it_accepts_what_the_reader_accepts(name: str) -> None:
    """Good manifests are valid."""
    jsonschema = pytest.importorskip("jsonschema")
    jsonschema.Draft202012Validator.check_schema(make())
    jsonschema.Draft202012Validator(make()).validate(yaml.safe_load(GOOD[name]))


@pytest.mark.parametrize("name", BAD_SHAPES)
def test_it_refuses_what_is_broken(name: str) -> None:
    """Broken manifests are invalid, as far as references between parts do not matter."""
    jsonschema = pytest.importorskip("jsonschema")
    assert not jsonschema.Draft202012Validator(make()).is_valid(yaml.safe_load(BAD_SHAPES[name]))
