"""Text to Manifest, with all its problems told at once."""

from collections.abc import Iterable

from autokitteh_server.core.filters import check_filter
from autokitteh_server.core.manifest import (
    MANIFEST_FILES,
    Connection,
    Limits,
    Manifest,
    Trigger,
    TriggerType,
    Var,
    Version,
)
from autokitteh_server.core.manifest_problems import Place, Problem, Problems
from autokitteh_server.core.manifest_read import Item, read_item
from autokitteh_server.core.manifest_schema import COUNTS, LISTS, MANIFEST, SIZES
from autokitteh_server.core.manifest_yaml import Node, Scalar, load_tree
from autokitteh_server.core.names import did_you_mean
from autokitteh_server.core.schedules import check_schedule, timezone_problem
from autokitteh_server.core.sizes import parse_size

#: Of a whole number in a limit: more than any machine has of anything.
_DIGITS = 12


def parse_manifest(text: str | bytes, filename: str = MANIFEST_FILES[0]) -> Manifest:
    """Read a manifest. `filename` is what messages call it.

    Raises ManifestError with everything that is wrong: the syntax, unknown and missing fields, names that come twice,
    references that lead nowhere, filters and schedules that mean nothing. Not checked here: the code.
    """
    problems = Problems(filename)
    item = _read(load_tree(text, problems), problems)
    manifest = _manifest(item, problems) if item else None
    problems.raise_if_any()
    assert manifest, "what is no manifest has a problem"
    return manifest


def _read(tree: Node | None, problems: Problems) -> Item | None:
    if tree is None or (isinstance(tree, Scalar) and tree.is_null):
        if not problems.found:
            remedy = "It needs at least a `version: v2`, and a `project` with a `name`."
            problems.add(Place(1, 1), "", "the manifest is empty", remedy)
        return None
    return read_item(tree, MANIFEST, "", problems)


def _manifest(item: Item, problems: Problems) -> Manifest:
    project = item.sections.get("project", item)
    variables, connections, triggers = (_list(item, project, each.name, problems) for each in LISTS)
    version = Version(item.texts.get("version", Version.V2))
    names = [each.text("name") for each in connections]
    return Manifest(
        version=version,
        name=project.text("name"),
        display_name=project.text("display_name"),
        limits=_limits(project.sections.get("limits"), problems),
        vars=_vars(variables),
        connections=tuple(_connection(each, problems) for each in connections),
        triggers=tuple(_trigger(each, version, names, problems) for each in triggers),
    )


def _list(item: Item, project: Item, name: str, problems: Problems) -> list[Item]:
    """The members of a list that stands in the project or beside it."""
    inside, beside = project.lists.get(name, []), item.lists.get(name, [])
    if project is not item and name in project.places and name in item.places:
        message = f"`{name}` stands both beside the project and in it, in line {project.at(name).line}"
        problems.add(item.at(name), name, message, "Move all of them into the project.")
        beside = [*inside, *beside]
    members = inside or beside
    _check_unique(members, name.removesuffix("s"), problems)
    return members


def _check_unique(items: Iterable[Item], noun: str, problems: Problems) -> None:
    first: dict[str, Item] = {}
    for item in items:
        name = item.text("name")
        if name and first.setdefault(name, item) is not item:
            line = first[name].at("name").line
            message = f"two {noun}s are named `{name}`: this one, and the one in line {line}"
            problems.add(item.at("name"), item.path_of("name"), message, "Rename one of them.")


def _vars(items: Iterable[Item]) -> tuple[Var, ...]:
    return tuple(
        Var(
            name=item.text("name"),
            value=item.texts.get("value"),
            secret=item.flags.get("secret", False),
            description=item.text("description"),
        )
        for item in items
    )


def _limits(item: Item | None, problems: Problems) -> Limits:
    given: dict[str, int] = {}
    for names, parse in ((SIZES, parse_size), (COUNTS, _parse_count)):
        for name, of in names.items():
            if item is None or name not in item.texts:
                continue
            try:
                given[of] = parse(item.text(name))
            except ValueError as error:
                problems.add(item.at(name), item.path_of(name), f"{item.text(name)[:40]!r}: {error}")
    return Limits(**given)


def _parse_count(text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > _DIGITS:
        raise ValueError("it must be a whole number, 0 for no limit")
    return int(text)


def _connection(item: Item, problems: Problems) -> Connection:
    variables = item.lists.get("vars", [])
    _check_unique(variables, "var", problems)
    return Connection(name=item.text("name"), integration=item.text("integration"), vars=_vars(variables))


def _trigger(item: Item, version: Version, connections: list[str], problems: Problems) -> Trigger:
    kind = _trigger_type(item, problems)
    _check_reference(item, connections, problems)
    _check_schedule(item, kind, problems)
    _add_problems(item, "filter", check_filter(item.text("filter")), problems)
    if item.flags.get("is_sync") and kind not in (None, TriggerType.WEBHOOK):
        remedy = "Remove it, or make the trigger a webhook."
        problems.add(
            item.at("is_sync"), item.path_of("is_sync"), f"a {kind} trigger has nobody who waits for an answer", remedy
        )
    if item.flags.get("allow_overlap") and kind not in (None, TriggerType.SCHEDULE):
        message = f"a {kind} trigger's sessions always overlap"
        problems.add(item.at("allow_overlap"), item.path_of("allow_overlap"), message, "Remove it.")
    return Trigger(
        name=item.text("name"),
        type=kind or TriggerType.WEBHOOK,
        is_durable=item.flags.get("is_durable", version.durable_by_default),
        call=item.entries.get("call"),
        event_type=item.text("event_type"),
        filter=item.text("filter"),
        schedule=item.text("schedule").strip(),
        timezone=item.text("timezone"),
        connection=item.text("connection"),
        is_sync=item.flags.get("is_sync", False),
        allow_overlap=item.flags.get("allow_overlap", False),
    )


def _trigger_type(item: Item, problems: Problems) -> TriggerType | None:
    """The one source of a trigger, given by its type or implied by a field named like it; None if unclear."""
    implied = [kind for kind in TriggerType if kind in item.places]
    if "type" not in item.places:
        return _implied_type(item, implied, problems)
    if not item.text("type"):  # misspelt, and reported
        return None
    kind = TriggerType(item.text("type"))
    for other in implied:
        if other is not kind:
            remedy = f"Remove `{other}`, or make the type `{other}`."
            problems.add(item.at(other), item.path_of(other), f"this trigger's type is {kind}", remedy)
    if kind not in implied and kind is not TriggerType.WEBHOOK:
        problems.add(item.place, item.path_of(kind), f"a trigger of type {kind} lacks `{kind}`", _REMEDIES[kind])
    return kind


def _implied_type(item: Item, implied: list[TriggerType], problems: Problems) -> TriggerType | None:
    if len(implied) == 1:
        return implied[0]
    if implied:
        found = " and ".join(f"`{kind}`" for kind in implied)
        message, remedy = f"the trigger has several sources: {found}", "Make a trigger of each."
    else:
        message, remedy = "nothing says where the trigger's events come from", "Add `type: webhook`, for example."
    problems.add(item.place, item.path, message, remedy)
    return None


_REMEDIES = {
    TriggerType.SCHEDULE: "Add when it fires, such as `schedule: '@daily'`.",
    TriggerType.CONNECTION: "Add the name of one of the project's connections.",
}


def _check_reference(item: Item, connections: list[str], problems: Problems) -> None:
    name = item.text("connection")
    if not name or name in connections:
        return
    near = did_you_mean(name, connections)
    remedy = f"Did you mean `{near}`?" if near else "Add it to the project's connections."
    problems.add(item.at("connection"), item.path_of("connection"), f"there is no connection `{name}`", remedy)


def _check_schedule(item: Item, kind: TriggerType | None, problems: Problems) -> None:
    if "schedule" in item.texts:
        _add_problems(item, "schedule", check_schedule(item.text("schedule")), problems)
    if (zone := item.text("timezone")) and (bad_zone := timezone_problem(zone)):
        problems.add(item.at("timezone"), item.path_of("timezone"), *bad_zone)
    if kind is TriggerType.SCHEDULE and "call" not in item.places:
        message = "a schedule has to call something"
        problems.add(item.place, item.path_of("call"), message, "Add `call: program.py:on_tick`, for example.")
    if "timezone" in item.places and kind not in (None, TriggerType.SCHEDULE):
        problems.add(
            item.at("timezone"), item.path_of("timezone"), f"a {kind} trigger has no use for a time zone", "Remove it."
        )


def _add_problems(item: Item, name: str, found: Iterable[Problem], problems: Problems) -> None:
    """Adds what is wrong inside the text of a field, with its place in the manifest."""
    for each in found:
        place = item.within(name, Place(each.line, each.column))
        where = "" if place or (each.line, each.column) == (1, 1) else f" (its line {each.line}, column {each.column})"
        problems.add(place or item.at(name), item.path_of(name), each.message + where, each.remedy)
