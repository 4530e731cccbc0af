"""The reference is complete, and says what the code says."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import autokitteh
from autokitteh_server.core.journal import EFFECTS, WAITS
from autokitteh_server.core.manifest_schema import CONNECTION, MANIFEST, PROJECT, TRIGGER, VAR, Section
from autokitteh_server.operations.session_log import LogEntry, entry_to_json
from docs.commands import all_commands, made_pages

REFERENCE = Path(__file__).parent.parent.parent / "docs" / "reference"


def headings(page: str) -> set[str]:
    """The headings of a page, below its title."""
    return set(re.findall(r"^##+ (.*)$", (REFERENCE / page).read_text(), re.MULTILINE))


@pytest.mark.parametrize("name", made_pages())
def test_made_page_is_up_to_date(name: str) -> None:
    """A page that is made from the code is what the code makes of it now."""
    assert (REFERENCE / name).read_text() == made_pages()[name], "say `make docs`"


def test_every_public_name_of_the_sdk_is_explained() -> None:
    """Each name that can be imported from `autokitteh` has a heading in the reference."""
    explained = {heading.removeprefix("autokitteh.") for heading in headings("sdk.md") | headings("errors.md")}

    assert set(autokitteh.__all__) <= explained


def test_every_command_has_a_section() -> None:
    """Each command and group of `ak` has a heading in the reference."""
    assert {f"ak {' '.join(path)}" for path in all_commands()} <= headings("cli.md")


@pytest.mark.parametrize("section", [MANIFEST, PROJECT, VAR, CONNECTION, TRIGGER], ids=lambda each: each.noun)
def test_every_field_of_the_manifest_is_explained(section: Section) -> None:
    """Each field of a section stands in that section's table, with its help."""
    title = "Top level" if section is MANIFEST else section.noun.capitalize()
    text = (REFERENCE / "manifest.md").read_text().partition(f"\n## {title}\n")[2].partition("\n## ")[0]

    for field in section.fields:
        row = next(line for line in text.splitlines() if line.startswith(f"| `{field.name}` |"))
        assert field.help in row


KINDS = ["print", "log", "warning", "state", "wait", *sorted(EFFECTS - WAITS)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_field_of_the_log_is_explained(kind: str) -> None:
    """What an entry of the log has as JSON is just what the page lists for its kind."""
    assert log_fields(kind) == explained_log_fields(kind)


def log_fields(kind: str) -> set[str]:
    """All fields that an entry of a kind can have."""
    full = LogEntry(
        seq=1, at=0, kind=kind, task="0", name="COMPLETED" if kind == "state" else "x", site="a.py:1:f", args="1",
        text="2", seconds=1.0, deadline_at=1, is_running=True, is_interrupted=True,
    )  # fmt: skip
    variants: list[dict[str, Any]] = [{}, {"error": "E: x"}]
    variants += [{"name": "RUNNING"}] if kind == "state" else []
    return {field for changes in variants for field in entry_to_json(replace(full, **changes), "ses_1")}


def explained_log_fields(kind: str) -> set[str]:
    """All fields that the page says an entry of a kind can have."""
    found = listed_fields("All kinds") | ({"task"} if kind != "state" else set())
    if kind in EFFECTS or kind == "wait":
        found |= listed_fields("call")
    return found | (listed_fields(kind) if kind not in EFFECTS else set())


def listed_fields(heading: str) -> set[str]:
    """The fields in the tables below a heading of the page about the log."""
    text = (REFERENCE / "session-log.md").read_text().partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE))


def test_kinds_with_the_fields_of_a_call_are_named() -> None:
    """The page says of every other kind of effect that it has the fields of a call."""
    text = (REFERENCE / "session-log.md").read_text().partition("\n## call\n")[2].partition("\n|")[0]

    assert all(f"`{kind}`" in text for kind in EFFECTS - WAITS - {"call"})
