"""The fields of a manifest, as tables: the reader goes by them, and so does the JSON Schema that editors use."""

from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

from autokitteh_server.core.manifest import TriggerType, Version
from autokitteh_server.core.names import NAME_PATTERN

#: What a connection may be to: each is a folder of `integrations/`.
INTEGRATIONS = (
    "airtable",
    "anthropic",
    "asana",
    "auth0",
    "autokitteh",
    "aws",
    "chatgpt",
    "confluence",
    "discord",
    "github",
    "githubcopilot",
    "gmail",
    "googlecalendar",
    "googledrive",
    "googleforms",
    "googlegemini",
    "googlesheets",
    "height",
    "hubspot",
    "jira",
    "kubernetes",
    "linear",
    "microsoft_teams",
    "notion",
    "pipedrive",
    "reddit",
    "salesforce",
    "slack",
    "telegram",
    "twilio",
    "youtube",
    "zoom",
)


class Kind(Enum):
    """What may stand in a field."""

    TEXT = auto()  # any scalar, taken as it is written
    NAME = auto()
    CHOICE = auto()
    FLAG = auto()
    ENTRY = auto()  # "file.py:function"
    MARK = auto()  # `{}` or nothing: that it is there is all it says
    SECTION = auto()
    LIST = auto()  # of sections


@dataclass(frozen=True, slots=True)
class Field:
    name: str
    kind: Kind
    help: str
    required: bool = False
    choices: tuple[str, ...] = ()
    section: "Section | None" = None  # of a SECTION, and of the members of a LIST


@dataclass(frozen=True, slots=True)
class Section:
    """A mapping with known fields."""

    noun: str
    help: str
    fields: tuple[Field, ...]
    rules: tuple[dict[str, Any], ...] = field(default=())  # what JSON Schema can say of several fields together

    def get(self, name: str) -> Field | None:
        return next((each for each in self.fields if each.name == name), None)


def _name_of(noun: str) -> Field:
    return Field("name", Kind.NAME, f"Name of the {noun}: letters, digits and underscores.", required=True)


def _when(field_name: str, value: Any, then: dict[str, Any]) -> dict[str, Any]:
    known = {"required": [field_name], "properties": {field_name: {"const": value}}}
    return {"if": known, "then": then}


def _present(*names: str) -> dict[str, Any]:
    return {"required": list(names)}


VAR = Section(
    "var",
    "A variable that the project's code sees in its environment.",
    (
        _name_of("variable"),
        Field(
            "value",
            Kind.TEXT,
            "Its value, taken as text exactly as it is written: 010 is not 8. Without one, what is set is kept.",
        ),
        Field("secret", Kind.FLAG, "Whether the value is kept encrypted and never shown."),
        Field("description", Kind.TEXT, "What it is for, shown to the person who sets it."),
    ),
)

CONNECTION = Section(
    "connection",
    "Named credentials for a third-party service.",
    (
        _name_of("connection"),
        Field("integration", Kind.CHOICE, "The service it is for.", required=True, choices=INTEGRATIONS),
        Field("vars", Kind.LIST, "Variables of the connection, such as credentials.", section=VAR),
    ),
)

TRIGGER = Section(
    "trigger",
    "A source of events, and the function that each event starts.",
    (
        _name_of("trigger"),
        Field("type", Kind.CHOICE, "Where its events come from.", choices=tuple(TriggerType)),
        Field("call", Kind.ENTRY, "The function to start for each event, as file.py:function."),
        Field("event_type", Kind.TEXT, "Only events of this type matter."),
        Field("filter", Kind.TEXT, "Only events matter for which this CEL expression over event_type and data holds."),
        Field("schedule", Kind.TEXT, "When a schedule fires: cron with 5 or 6 fields, @daily and such, or @every 1m."),
        Field("timezone", Kind.TEXT, "Time zone of the schedule, such as Europe/Berlin. Default: UTC."),
        Field("connection", Kind.NAME, "The connection whose events it gets."),
        Field("webhook", Kind.MARK, "Older spelling of a webhook's type: webhook: {}"),
        Field("is_sync", Kind.FLAG, "Whether the webhook's sender waits for the answer of the session."),
        Field("allow_overlap", Kind.FLAG, "Whether a schedule fires also while the session of an earlier tick runs."),
        Field("is_durable", Kind.FLAG, "Whether its sessions survive crashes. Default: true in v1, false in v2."),
    ),
    rules=(
        {"anyOf": [_present("type"), _present("webhook"), _present("schedule"), _present("connection")]},
        {"not": _present("webhook", "schedule")},
        {"not": _present("webhook", "connection")},
        {"not": _present("schedule", "connection")},
        _when("type", "webhook", {"not": {"anyOf": [_present("schedule"), _present("connection")]}}),
        _when("type", "schedule", {**_present("schedule"), "not": _present("webhook")}),
        _when("type", "connection", {**_present("connection"), "not": _present("webhook")}),
        {"dependentRequired": {"timezone": ["schedule"], "schedule": ["call"]}},
        _when("allow_overlap", True, _present("schedule")),
        _when("is_sync", True, {"not": {"anyOf": [_present("schedule"), _present("connection")]}}),
    ),
)

#: Of a LIMITS section: the field, and what it is in `manifest.Limits`.
SIZES = {"memory": "memory_bytes", "file_size": "file_bytes"}
COUNTS = {"cpu_seconds": "cpu_s", "processes": "processes", "open_files": "open_files"}

LIMITS = Section(
    "limits",
    "What each session may use, in place of what the server's settings say; 0 is no limit.",
    (
        Field("memory", Kind.TEXT, "Memory of all its processes, such as 512 MiB."),
        Field("cpu_seconds", Kind.TEXT, "Processor time of each of its processes, in seconds."),
        Field("processes", Kind.TEXT, "How many processes it may have at once."),
        Field("open_files", Kind.TEXT, "How many files each of its processes may have open."),
        Field("file_size", Kind.TEXT, "The size of each file that it writes, such as 1 GiB."),
    ),
)

#: These stand in the project, and may stand beside it.
LISTS = (
    Field("vars", Kind.LIST, "Variables that the code sees in its environment.", section=VAR),
    Field("connections", Kind.LIST, "Connections to third-party services.", section=CONNECTION),
    Field("triggers", Kind.LIST, "What starts the project's functions.", section=TRIGGER),
)

PROJECT = Section(
    "project",
    "The project: its name, and what belongs to it.",
    (
        _name_of("project"),
        Field("display_name", Kind.TEXT, "The name that people see; any text."),
        Field("limits", Kind.SECTION, LIMITS.help, section=LIMITS),
        *LISTS,
    ),
)

MANIFEST = Section(
    "manifest",
    "Manifest of an AutoKitteh project.",
    (
        Field("version", Kind.CHOICE, "Version of the format.", required=True, choices=tuple(Version)),
        Field("project", Kind.SECTION, PROJECT.help, required=True, section=PROJECT),
        *LISTS,
    ),
    rules=tuple(
        {"not": {"required": [each.name, "project"], "properties": {"project": _present(each.name)}}} for each in LISTS
    ),
)


#: All but the manifest itself.
SECTIONS = (PROJECT, LIMITS, VAR, CONNECTION, TRIGGER)


def manifest_json_schema() -> dict[str, Any]:
    """A JSON Schema (2020-12) of manifests.

    It refuses less than `parse_manifest`, which also knows references, and names that come twice; and it wants quotes
    around names that YAML reads as something else than text, which `parse_manifest` does not.
    """
    schema: dict[str, Any] = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": MANIFEST.help}
    schema.update(_section_schema(MANIFEST))
    schema["$defs"] = {section.noun: _section_schema(section) for section in SECTIONS}
    return schema


def _section_schema(section: Section) -> dict[str, Any]:
    schema: dict[str, Any] = {
        "type": "object",
        "description": section.help,
        "properties": {each.name: {"description": each.help, **_field_schema(each)} for each in section.fields},
        "required": [each.name for each in section.fields if each.required],
        "additionalProperties": False,
    }
    if section.rules:
        schema["allOf"] = list(section.rules)
    return schema


def _field_schema(each: Field) -> dict[str, Any]:
    if each.kind is Kind.SECTION and each.section:
        return {"$ref": f"#/$defs/{each.section.noun}"}
    if each.kind is Kind.LIST and each.section:
        return {"type": ["array", "null"], "items": {"$ref": f"#/$defs/{each.section.noun}"}}
    if each.kind is Kind.CHOICE:
        return {"enum": [str(choice) for choice in each.choices]}
    schema = _SCALARS[each.kind]
    return schema if each.required else {**schema, "type": [*schema["type"], "null"]}


_SCALARS: dict[Kind, dict[str, Any]] = {
    Kind.TEXT: {"type": ["string", "number", "boolean"]},
    Kind.NAME: {"type": ["string"], "pattern": NAME_PATTERN},
    Kind.FLAG: {"type": ["boolean"]},
    Kind.ENTRY: {"type": ["string"], "pattern": r"^[^:]+\.py:[^:.\s]+$"},
    Kind.MARK: {"type": ["object", "boolean"], "maxProperties": 0, "not": {"const": False}},
}
