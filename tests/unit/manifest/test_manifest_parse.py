"""Reading manifests."""

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autokitteh_server.core.errors import InvalidArgument
from autokitteh_server.core.manifest import Connection, Manifest, Trigger, TriggerType, Var, Version
from autokitteh_server.core.manifest_parse import parse_manifest
from autokitteh_server.core.manifest_problems import ManifestError
from autokitteh_server.core.manifest_schema import INTEGRATIONS
from autokitteh_server.core.names import Entry
from unit.manifest.manifest_samples import BAD_SHAPES, GOOD, with_trigger


def problems_of(text: str | bytes) -> list[str]:
    """What is reported of a manifest, line by line."""
    with pytest.raises(ManifestError) as caught:
        parse_manifest(text, "m.yaml")
    return str(caught.value).split("\n")


@pytest.mark.parametrize("name", GOOD)
def test_good_manifests_load(name: str) -> None:
    """Every form of manifest that people have is read, as text and as bytes."""
    assert parse_manifest(GOOD[name]) == parse_manifest(b"\xef\xbb\xbf" + GOOD[name].encode())


def test_everything_is_read() -> None:
    """All fields end up where they belong."""
    manifest = parse_manifest(GOOD["everything, with comments"])
    assert manifest == Manifest(
        version=Version.V2,
        name="everything",
        display_name="Everything: at once",
        vars=(
            Var(name="CHANNEL", value="#general", description="Where to write to"),
            Var(name="EMPTY"),
        ),
        connections=(
            Connection(name="chat", integration="slack", vars=(Var(name="bot_token", value="xoxb-1", secret=True),)),
        ),
        triggers=(
            Trigger(
                name="hook",
                type=TriggerType.WEBHOOK,
                call=Entry("program.py", "on_hook"),
                is_sync=True,
                is_durable=True,
            ),
            Trigger(name="url_only", type=TriggerType.WEBHOOK, is_durable=False),
            Trigger(
                name="nightly",
                type=TriggerType.SCHEDULE,
                schedule="0 0 3 * * *",
                timezone="Europe/Berlin",
                call=Entry("jobs/night.py", "on_night"),
                allow_overlap=True,
                is_durable=False,
            ),
            Trigger(
                name="messages",
                type=TriggerType.CONNECTION,
                connection="chat",
                event_type="message",
                filter="data.text.contains(\"hello\") && event_type != ''",
                call=Entry("program.py", "on_message"),
                is_durable=False,
            ),
        ),
    )


def test_lists_beside_the_project_belong_to_it() -> None:
    """The vars of the older layout are the project's."""
    manifest = parse_manifest(GOOD["lists beside the project"])
    assert manifest.vars == (Var(name="ROUNDS", value="10"), Var(name="PAUSE", value="1"))


def test_sources_imply_types() -> None:
    """A trigger without a type has that of the source it names, and is durable in version 1."""
    triggers = parse_manifest(GOOD["older spelling"]).triggers
    assert [each.type for each in triggers] == ["webhook", "webhook", "schedule", "connection"]
    assert [each.is_durable for each in triggers] == [True, True, False, True]


@pytest.mark.parametrize(
    ("written", "value"),
    [("010", "010"), ("yes", "yes"), ("1.50", "1.50"), ("true", "true"), ("0x1F", "0x1F"), ("1_000", "1_000")]
    + [("2024-01-02", "2024-01-02"), ("'null'", "null"), ("null", None), ("~", None), ('"~"', "~"), ("''", "")]
    + [("!!str 010", "010"), ("12:30:45", "12:30:45"), ("=", "="), ("|\n      a\n      b\n", "a\nb\n")],
)
def test_values_are_texts_as_written(written: str, value: str | None) -> None:
    """No value is turned into a number, a truth or a date."""
    manifest = parse_manifest(f"version: v2\nproject:\n  name: a\nvars:\n  - name: X\n    value: {written}\n")
    assert manifest.vars[0].value == value


@pytest.mark.parametrize("name", BAD_SHAPES)
def test_broken_manifests_are_refused(name: str) -> None:
    """What is broken has at least one problem, with file, line and column."""
    assert all(line.startswith("m.yaml:") for line in problems_of(BAD_SHAPES[name]))


def test_all_problems_at_once() -> None:
    """Everything that is wrong is told, by position, with path and remedy."""
    text = """\
version: v2
project:
  nme: x
  connections:
    - name: chat
      integration: slak
    - name: chat
      integration: slack
  triggers:
    - name: t-1
      type: webhok
    - name: t2
      connection: chad
      call: program
    - name: t3
      schedule: "* * *"
      timezone: Europe/Berln
      call: a.py:f
"""
    assert problems_of(text) == [
        "m.yaml:3:3: project.nme: a project has no field `nme`. Did you mean `name`?",
        "m.yaml:3:3: project.name: the project lacks `name`. Name of the project: letters, digits and underscores.",
        "m.yaml:6:20: project.connections[0].integration: there is no integration 'slak'. Did you mean `slack`?",
        "m.yaml:7:13: project.connections[1].name: two connections are named `chat`: this one, and the one in line 5."
        " Rename one of them.",
        "m.yaml:10:13: project.triggers[0].name: 't-1' cannot be a name."
        " Use letters, digits and underscores only, with no digit in front, and 250 characters at most.",
        "m.yaml:11:13: project.triggers[0].type: there is no type 'webhok'. Did you mean `webhook`?",
        "m.yaml:13:19: project.triggers[1].connection: there is no connection `chad`. Did you mean `chat`?",
        "m.yaml:14:13: project.triggers[1].call: 'program' is not an entry point: it has no `:`."
        " Write the file and one of its top-level functions, such as program.py:on_event.",
        "m.yaml:16:18: project.triggers[2].schedule: a cron expression has 5 fields, or 6 with seconds in front,"
        " and '* * *' has 3. Write 5 or 6 fields of cron, `@daily` or such, or `@every 10m`.",
        "m.yaml:17:17: project.triggers[2].timezone: there is no time zone 'Europe/Berln'."
        " Did you mean `Europe/Berlin`?",
    ]


@pytest.mark.parametrize(
    ("fields", "place", "said"),
    [
        ("call: a.py:f", "7:7: project.triggers[0]:", "nothing says where"),
        ("webhook: {}, schedule: '@daily', call: a.py:f", "7:7: project.triggers[0]:", "`webhook` and `schedule`"),
        ("type: webhook, schedule: '@daily'", "7:42: project.triggers[0].schedule:", "type is webhook"),
        ("type: schedule, call: a.py:f", "7:7: project.triggers[0].schedule:", "lacks `schedule`"),
        ("type: connection", "7:7: project.triggers[0].connection:", "lacks `connection`"),
        ("connection: chat, is_sync: true", "7:44: project.triggers[0].is_sync:", "nobody who waits"),
        ("connection: chat, allow_overlap: true", "7:50: project.triggers[0].allow_overlap:", "always overlap"),
        ("schedule: '@daily'", "7:7: project.triggers[0].call:", "has to call"),
        ("type: webhook, timezone: UTC", "7:42: project.triggers[0].timezone:", "no use for a time zone"),
        ("schedule: '@dayly', call: a.py:f", "7:28: project.triggers[0].schedule:", "@daily"),
        ("schedule: '@every x', call: a.py:f", "7:28: project.triggers[0].schedule:", "no duration"),
        ("schedule: '* * * * (', call: a.py:f", "7:36: project.triggers[0].schedule:", "'('"),
        ("schedule: '0 0 31 2 *', call: a.py:f", "7:32: project.triggers[0].schedule:", "never fires"),
        ("schedule: '', call: a.py:f", "7:28: project.triggers[0].schedule:", "has 0"),
        ("type: webhook, is_sync: maybe", "7:41: project.triggers[0].is_sync:", "neither true nor false"),
        ("webhook: {path: /x}", "7:26: project.triggers[0].webhook:", "takes no value"),
        ("type: webhook, call: [f]", "7:38: project.triggers[0].call:", "this is a list"),
    ],
)
def test_trigger_rules(fields: str, place: str, said: str) -> None:
    """A trigger has one source, and the fields that go with it; what breaks the rule is told at its place, once."""
    (line,) = problems_of(with_trigger(fields))
    assert line.startswith(f"m.yaml:{place}")
    assert said in line


@pytest.mark.parametrize(
    ("written", "places"),
    [
        ("filter: data.a = 1", ["7:22"]),
        ("filter: 'data.a = 1'", ["7:23"]),
        ('filter: "data.a = 1"', ["7:23"]),
        ("filter: dat.x == evnt_type", ["7:15", "7:24"]),
        ("filter: |\n        data.a == 1 &&\n          data.b = 2", ["9:18"]),
        ("filter: |-\n\n        data.a = 2", ["9:16"]),
        # Folded, and with an escape: the place is that of the value, and the problem says where in the text.
        ("filter: >\n        data.a == 1 &&\n        data.b = 2", ["7:15 (its line 1, column 23)"]),
        ('filter: "data.s == \\"x\\" and true"', ["7:15 (its line 1, column 15)"]),
    ],
)
def test_filters_are_checked(written: str, places: list[str]) -> None:
    """A filter that does not compile is refused, with the line and column that it has in the manifest."""
    text = f"version: v2\nproject:\n  name: x\n  triggers:\n    - name: t\n      type: webhook\n      {written}\n"

    for line, place in zip(problems_of(text), places, strict=True):
        position, _, where = place.partition(" ")
        assert line.startswith(f"m.yaml:{position}: project.triggers[0].filter: ")
        assert where in line


def test_a_broken_section_hides_no_other() -> None:
    """A section that cannot be read leaves the rest to be checked."""
    lines = problems_of("version: v2\nproject: none\nvars: [{name: 1x}]\ntriggers: 5\n")
    assert [line.split(": ")[1] for line in lines] == ["project", "vars[0].name", "triggers"]


def test_both_places() -> None:
    """One list in two places is refused, naming both lines."""
    (line,) = problems_of(BAD_SHAPES["both places"])
    assert line.startswith("m.yaml:5:7: vars: `vars` stands both beside the project and in it, in line 4.")


def test_every_integration_is_known() -> None:
    """All 27 names are accepted, and the five extras."""
    assert len(INTEGRATIONS) == 32
    listed = "".join(f"- {{name: c_{name}, integration: {name}}}\n" for name in INTEGRATIONS)
    assert len(parse_manifest(f"version: v2\nproject: {{name: a}}\nconnections:\n{listed}").connections) == 32


def test_vars_of_connections_are_a_world_of_their_own() -> None:
    """A connection's var may have the name of a project's var, but not that of another of its own."""
    head = "version: v2\nproject: {name: a, vars: [{name: X}], connections: [{name: c, integration: aws, vars: "
    assert parse_manifest(head + "[{name: X}]}]}")
    (line,) = problems_of(head + "[{name: X}, {name: X}]}]}")
    assert "project.connections[0].vars[1].name: two vars are named `X`" in line


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("", "1:1", "empty"),
        ("# nothing\n---\n", "1:1", "empty"),
        ("just text", "1:1", "a manifest has fields"),
        ("a: [\n", "2:1", "not valid YAML"),
        ("a: b: c", "1:5", "not valid YAML"),
        ("a:\n\t- b", "2:1", "not valid YAML"),
        ("a: *b", "1:4", "no anchor `&b`"),
        ("a: &a [*a]", "1:8", "inside of what it means"),
        ("a: 1\n---\nb: 1", "2:1", "second document"),
        ("a: x\x00", "1:5", "U+0000"),
        ("a:\n  \ud800", "2:3", "U+D800"),
        (b"a: 1\n  \xff", "2:3", "not UTF-8"),
        ("\xff\xfea\0".encode("latin-1"), "1:1", "not UTF-8"),
        ("[" * 500_000, "1:22", "nested more than 20"),
        ("- " * 200_000, "1:43", "nested more than 20"),
        ("? " * 200_000, "1:43", "nested more than 20"),
        ("x" * 1_000_001, "1:1", "1,000,001 bytes"),
        ("ü" * 600_000, "1:1", "1,200,000 bytes"),
    ],
)
def test_hostile_texts(text: str | bytes, place: str, said: str) -> None:
    """What is no YAML, or is made to hurt, is refused at its place, with nothing else said."""
    (line,) = problems_of(text)
    assert line.startswith(f"m.yaml:{place}: ")
    assert said in line


def test_alias_bomb() -> None:
    """Aliases count as often as they are used, so a few lines cannot become millions of values."""
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 10)]
    (line,) = problems_of("\n".join(lines))
    assert "more than 100,000 values" in line


def test_aliases_are_values() -> None:
    """An alias stands for what it names."""
    text = "version: v2\nproject: {name: a}\nvars: [{name: X, value: &v hello}, {name: Y, value: *v}]\n"
    assert [each.value for each in parse_manifest(text).vars] == ["hello", "hello"]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("x: !!python/object:os.system ls", "the tag"),
        ("version: v2", "`version` comes twice: here, and in line 1"),
        ("<<: {vars: []}", "merge keys"),
        ("? [a]\n: b", "a key must be a plain word"),
        (r'vars: [{name: X, value: "a\0"}]', "NUL"),
    ],
)
def test_parts_of_yaml_that_have_no_use(line: str, said: str) -> None:
    """Tags, merges, keys that are lists and keys that come twice are told beside the other problems."""
    lines = problems_of(f"version: v2\nproject: {{name: a-b}}\n{line}\n")
    assert any(said in each and each.startswith("m.yaml:3:") for each in lines)
    assert any("'a-b' cannot be a name" in each for each in lines)


@given(st.text(max_size=80) | st.binary(max_size=80))
def test_any_text_is_read_or_refused(text: str | bytes) -> None:
    """No text makes the reader fail in another way than with the list of problems."""
    try:
        parse_manifest(text)
    except ManifestError as error:
        assert error.problems


@given(st.data())
def test_any_change_is_read_or_refused(data: st.DataObject) -> None:
    """No change to a good manifest makes the reader fail in a way of its own."""
    text = data.draw(st.sampled_from(sorted(GOOD.values())))
    at = data.draw(st.integers(0, len(text)))
    cut = data.draw(st.integers(0, 12))
    put = data.draw(st.sampled_from(["", "[]", "{}", "~", "- ", ":", "x", "&a ", "*a", "!!int ", "\n", '"']))
    try:
        parse_manifest(text[:at] + put + text[at + cut :])
    except ManifestError as error:
        assert error.problems


def test_the_error_is_an_invalid_argument_that_can_be_sent() -> None:
    """The error has the exit code of bad input, and survives pickling with its problems."""
    with pytest.raises(InvalidArgument) as caught:
        parse_manifest("version: v2\n", "m.yaml")
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.problems, again.exit_code) == (str(caught.value), caught.value.problems, 40)


def test_secrets_are_masked() -> None:
    """The value of a secret does not get into a log by way of its repr."""
    assert "xoxb" not in repr(parse_manifest(GOOD["everything, with comments"]))
