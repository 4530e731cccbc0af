"""Writing manifests."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autokitteh_server.core.manifest import Connection, Manifest, Trigger, TriggerType, Var, Version
from autokitteh_server.core.manifest_parse import parse_manifest
from autokitteh_server.core.manifest_render import render_manifest
from autokitteh_server.core.manifest_schema import INTEGRATIONS
from autokitteh_server.core.names import Entry
from unit.manifest.manifest_samples import GOOD

NAMES = st.from_regex(r"[a-zA-Z_][a-zA-Z0-9_]{0,10}", fullmatch=True) | st.sampled_from(["yes", "null", "true", "_1"])
TEXTS = st.one_of(
    st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30),
    st.sampled_from(
        ["010", "yes", "~", "null", "1e3", "a\nb\n", "  a", "# x", "<<", "=", "a: b", "- a", "\x85", "é\t"]
    ),
)
#: Of any text, the filter that asks for it.
FILTERS = TEXTS.map(lambda text: f"data.x == {json.dumps(text, ensure_ascii=False)}") | st.sampled_from(
    ["", "event_type == 'push'", "data.a > 1 &&\n  has(data.b)\n", "data['# x: y'] != \"'\""]
)
VARS = st.builds(Var, name=NAMES, value=st.none() | TEXTS, secret=st.booleans(), description=TEXTS)


def several(values: st.SearchStrategy[object]) -> st.SearchStrategy[tuple[object, ...]]:
    """A few values with different names."""
    return st.lists(values, max_size=3, unique_by=lambda each: each.name).map(tuple)  # type: ignore[attr-defined]


CONNECTIONS = st.builds(Connection, name=NAMES, integration=st.sampled_from(INTEGRATIONS), vars=several(VARS))
CALLS = st.builds(Entry, st.sampled_from(["program.py", "a/b c.py"]), NAMES)


def triggers(connections: tuple[Connection, ...]) -> st.SearchStrategy[Trigger]:
    """Any trigger of a project with these connections."""
    common = {"name": NAMES, "event_type": TEXTS, "filter": FILTERS, "is_durable": st.booleans()}
    webhooks = st.builds(
        Trigger, type=st.just(TriggerType.WEBHOOK), is_sync=st.booleans(), call=st.none() | CALLS, **common
    )
    schedules = st.builds(
        Trigger,
        type=st.just(TriggerType.SCHEDULE),
        schedule=st.sampled_from(["@daily", "@every 1m", "*/5 0-3 * * MON", "0 * * * * ?"]),
        timezone=st.sampled_from(["", "UTC", "Europe/Berlin"]),
        call=CALLS,
        allow_overlap=st.booleans(),
        **common,
    )
    if not connections:
        return webhooks | schedules
    of_connections = st.builds(
        Trigger,
        type=st.just(TriggerType.CONNECTION),
        connection=st.sampled_from([each.name for each in connections]),
        call=st.none() | CALLS,
        **common,
    )
    return webhooks | schedules | of_connections


@st.composite
def manifests(draw: st.DrawFn) -> Manifest:
    """Any manifest."""
    connections = draw(several(CONNECTIONS))
    return Manifest(
        version=draw(st.sampled_from(Version)),
        name=draw(NAMES),
        display_name=draw(TEXTS),
        vars=draw(several(VARS)),
        connections=connections,
        triggers=draw(several(triggers(connections))),
    )


@given(manifests())
def test_manifests_survive_being_written(manifest: Manifest) -> None:
    """A manifest read from its own text is the same manifest."""
    assert parse_manifest(render_manifest(manifest)) == manifest


@pytest.mark.parametrize("name", GOOD)
def test_good_manifests_survive_being_written(name: str) -> None:
    """So do manifests that people wrote, whatever their form."""
    manifest = parse_manifest(GOOD[name])
    assert parse_manifest(render_manifest(manifest)) == manifest


def test_the_text_is_as_short_as_by_hand() -> None:
    """Nothing is written that is the default anyway, and version 1 has its own spelling."""
    hook = Trigger(name="hook", type=TriggerType.WEBHOOK, is_durable=True, call=Entry("a.py", "f"))
    manifest = Manifest(version=Version.V1, name="x", vars=(Var(name="N", value="10"),), triggers=(hook,))
    assert render_manifest(manifest) == (
        "version: v1\nproject:\n  name: x\n  vars:\n  - name: N\n    value: '10'\n"
        "  triggers:\n  - name: hook\n    call: a.py:f\n    webhook: {}\n"
    )
