"""The rules of `ak project lint`."""

from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from autokitteh_server.builds.lint import RULES, find_findings
from autokitteh_server.builds.source import Source, source_from_files
from autokitteh_server.core.findings import Severity

MANIFEST = """\
version: v2
project:
  name: x
  connections:
    - {name: chat, integration: slack}
  triggers:
    - {name: plain, type: webhook, call: "program.py:plain"}
    - {name: durable, type: webhook, call: "program.py:durable", is_durable: true}
    - {name: talk, type: connection, connection: chat}
"""
HANDLERS = "def plain(event): pass\ndef durable(event): pass\n"


def source_of(code: str, manifest: str | None = MANIFEST, **others: str) -> Source:
    files = {"program.py": dedent(code)} | {name.replace("__", "."): text for name, text in others.items()}
    files |= {"autokitteh.yaml": manifest} if manifest else {}
    return source_from_files("x", {path: text.encode() for path, text in files.items()})


def found(code: str, manifest: str | None = MANIFEST, **others: str) -> list[str]:
    """What is found in a program, each as "file:line id"; other files are given with `__` for the point."""
    findings = find_findings(source_of(code, manifest, **others))
    return [f"{each.file}:{each.line} {each.id}" for each in findings]


def test_a_sound_project() -> None:
    """Nothing is found in code that does what it should."""
    code = """
        import json
        from autokitteh import next_signal
        from autokitteh.slack import slack_client
        client = slack_client("chat")
        def plain(event):
            client.chat_postMessage(text=json.dumps(event.data))
        def durable(event):
            for name in sorted({event.data.a, event.data.b}):
                client.chat_postMessage(text=name)
            return next_signal("go")
        """
    assert found(code, requirements__txt="numpy\n") == []


def test_ids() -> None:
    """They are what people write into comments, and never change."""
    assert [rule.id for rule in RULES] == [
        *("syntax", "missing-entry", "bad-requirement", "durable-only", "promised-package", "unused-connection"),
        *("unknown-connection", "late-import", "set-order", "whole-clients"),
    ]
    assert {rule.severity for rule in RULES if not rule.can_be_ignored} == {Severity.ERROR}
    assert all(rule.title and rule.about.endswith(".") for rule in RULES)


def test_what_stands_against_deploying() -> None:
    """Files that are not Python, triggers that lead nowhere, and bad requirements are found together."""
    assert found("def plain(e): pass\n", broken__py="x = (", requirements__txt="-e .\n") == [
        "autokitteh.yaml:8 missing-entry",
        "broken.py:1 syntax",
        "requirements.txt:1 bad-requirement",
    ]


def test_promised_packages() -> None:
    """A requirement that names one is found, whatever its spelling; one that cannot fit is found as that."""
    assert found(HANDLERS, requirements__txt="numpy\nSlack_SDK>=3\npyyaml==5\n") == [
        "requirements.txt:2 promised-package",
        "requirements.txt:3 bad-requirement",
    ]


UNUSED = MANIFEST.replace("    - {name: talk, type: connection, connection: chat}\n", "")


@pytest.mark.parametrize(
    ("code", "is_used"),
    [
        ("", False),
        ("chat = 1", False),
        ("x = f('chat')", True),
        ("x = f'chat__{y}'", True),
        ("x = environ['chat__token']", True),
    ],
)
def test_unused_connections(code: str, is_used: bool) -> None:
    """A connection without trigger is in use if its name is in some text of the code."""
    assert (found(HANDLERS + code, UNUSED) == []) is is_used
    assert is_used or found(HANDLERS + code, UNUSED) == ["autokitteh.yaml:5 unused-connection"]


def test_connections_that_may_be_used() -> None:
    """Nothing is said where a var names the connection, or where a file cannot be read."""
    assert found(HANDLERS, UNUSED + "  vars:\n    - {name: WHERE, value: chat}\n") == []
    assert found(HANDLERS, UNUSED, broken__py="(") == ["broken.py:1 syntax"]


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("from autokitteh.slack import slack_client\nx = slack_client('chad')", 2),
        ("from autokitteh.slack import slack_client as s\nx = s(connection='chad')", 2),
        ("from autokitteh import slack\nx = slack.slack_client('chad', timeout=3)", 2),
        ("import autokitteh.slack\nx = autokitteh.slack.slack_client(\n'chad')", 2),
        ("def f():\n    from autokitteh.slack import slack_client\n    return slack_client('chad')", 3),
        ("from autokitteh.google import google_creds\nx = google_creds('gmail', 'chad', [])", 2),
        ("from autokitteh.slack import slack_client\nx = slack_client('chat')", None),
        ("from autokitteh.slack import slack_client\nx = slack_client(name)", None),
        ("from autokitteh.slack import slack_client\nx = slack_client(*['chad'], 'chad')", None),
        ("from autokitteh.slack import normalize_channel_name\nx = normalize_channel_name('chad')", None),
        ("from mine import slack_client\nx = slack_client('chad')", None),
    ],
)
def test_unknown_connections(code: str, line: int | None) -> None:
    """A client for a connection that is not declared is found, if the name stands there and there is a manifest."""
    expected = [f"other.py:{line} unknown-connection"] if line else []

    assert [each for each in found(HANDLERS, other__py=code) if "connection" in each] == expected
    assert found(HANDLERS, None, other__py=code) == []
    findings = find_findings(source_of(HANDLERS, other__py=code))
    assert not line or findings[0].remedy.startswith("Did you mean chat? ")


def test_late_imports() -> None:
    """Found are those that nothing is known to have; not those that are tried, or made at once."""
    code = HANDLERS + dedent(
        """
        import anything
        def f():
            import lib, lib.missing, pkg.a, os.path, yaml, numpy.linalg, dateutil, PIL.Image, google.cloud.storage
            from google import generativeai, unheard_of
            import nowhere.at.all
            from . import above
            try:
                import tried
            except ImportError:
                pass
        importlib.import_module("gone")
        """
    )
    others = {"lib__py": "", "pkg/a__py": "", "test_it__py": "def f():\n    import pytest_extra"}
    required = "numpy\npython-dateutil\npillow\ngoogle-cloud-storage\n"

    assert found(code, requirements__txt=required, **others) == [
        "program.py:6 late-import",
        "program.py:8 late-import",
        "program.py:9 late-import",
        "program.py:14 late-import",
    ]
    messages = [each.message.rpartition(" ")[2] for each in find_findings(source_of(code, **others))]
    assert {"lib.missing", "nowhere.at.all", ".", "gone", "dateutil", "google"} <= set(messages)


SIGNALS = "from autokitteh import next_signal\n"


@pytest.mark.parametrize(
    ("code", "line"),
    [
        (SIGNALS + "def durable(e): pass\ndef plain(e):\n    next_signal('x')", 4),
        (SIGNALS + "def durable(e): f()\ndef plain(e): f()\ndef f():\n    g()\ndef g(): next_signal('x')", 6),
        ("import autokitteh as ak\ndef durable(e): pass\ndef plain(e): ak.next_signal('x')", 3),
        ("from autokitteh import signals as s\ndef durable(e): pass\nasync def plain(e): s.next_signal('x')", 3),
        (SIGNALS + "def plain(e): pass\ndef durable(e): next_signal('x')", None),
        (SIGNALS + "def durable(e): pass\ndef other(): next_signal('x')\ndef plain(e): call(other)", None),
        ("import autokitteh\ndef durable(e): pass\ndef plain(e): autokitteh.next_event('x')", None),
        ("from mine import next_signal\ndef durable(e): pass\ndef plain(e): next_signal('x')", None),
    ],
)
def test_durable_only(code: str, line: int | None) -> None:
    """Waiting for a signal is found in what a trigger calls that is not durable."""
    assert found(code) == ([f"program.py:{line} durable-only"] if line else [])


def test_durable_only_in_another_file() -> None:
    """Functions that are imported from the project's other files are followed, too, also in a circle."""
    code = "import lib.a\ndef durable(e): pass\ndef plain(e): lib.a.f()\n"
    other = (
        "from autokitteh.signals import next_signal\nfrom program import plain\ndef f():\n    plain(next_signal('x'))"
    )

    assert found(code, **{"lib/a__py": other}) == ["lib/a.py:4 durable-only"]


def test_durable_only_of_several_triggers() -> None:
    """A call is found once, however many triggers lead to it."""
    more = MANIFEST + '    - {name: again, type: webhook, call: "program.py:plain"}\n'

    assert found(SIGNALS + "def durable(e): pass\ndef plain(e): next_signal('x')", more) == [
        "program.py:3 durable-only"
    ]


def loop(body: str, before: str = "") -> list[str]:
    """What is found in a handler that a durable trigger calls; `{event.a, event.b}` is a set that is not constant."""
    code = f"""
import requests, time
from autokitteh import activity, start
from autokitteh.slack import slack_client
client = slack_client("chat")
KINDS = set(client.kinds())
NAMES = {{"a", "b"}}
@activity
def act(x): return x
def inner(x): act(x)
def pure(x): return x
{before}
def plain(event): pass
def durable(event):
"""
    lines = "".join(f"    {line}\n" for line in body.splitlines())
    return [each.partition(" ")[2] for each in found(code + lines)]


@pytest.mark.parametrize(
    "body",
    [
        "for x in {event.a, event.b}: client.chat_postMessage(x)",
        "for x in set(event.names): requests.get(x)",
        "for i, x in enumerate(list(set(event.names))): act(x)",
        "for x in {y for y in event}: inner(x)",
        "for x in KINDS: start('program.py:plain', x)",
        "s = set()\ns.add(event)\nfor x in s: time.sleep(x)",
        "s = frozenset(event)\nt = s | {1}\nfor x in t: print(open(x))",
        "for x in set(event).union([1]) - {2}: client.a.b.c(x)",
        "r = [act(x) for x in set(event)]",
        "r = {x: act(x) for x in set(event)}",
        "r = [0 for x in set(event) if act(x)]",
        "r = [0 for x in set(event) for y in act(x)]",
        "for x in set(event):\n    if x:\n        while x:\n            act(x)",
    ],
)
def test_order_of_sets(body: str) -> None:
    """A loop over a set that does something which is recorded is found."""
    assert loop(body) == ["set-order"]


@pytest.mark.parametrize(
    "body",
    [
        "for x in sorted({event.a, event.b}): act(x)",
        "for x in {'a', 'b', 1}: act(x)",
        "for x in NAMES: act(x)",
        "for x in {event.a}: pure(x)",
        "for x in {event.a}: print(len(x), x.strip())",
        "for x in event.names: act(x)",
        "s = set(event)\ns = sorted(s)\nfor x in s: act(x)",
        "s = set(event)\nfor s in event: pass\nfor x in s: act(x)",
        "KINDS = event.kinds\nfor x in KINDS: act(x)",
        "r = {act(x) for x in event}",
        "for x in {}: act(x)",
        "act({x for x in set(event)})",
    ],
)
def test_loops_with_an_order(body: str) -> None:
    """Nothing is said of loops that have an order, that record nothing, or of which it is not certain."""
    assert loop(body) == []


def test_where_order_matters() -> None:
    """Only in what durable triggers call, and not in activities: of those only the result is recorded."""
    over_set = "    for x in set(y): act(x)\n"
    assert loop("f(event)", f"def f(y):\n{over_set}") == ["set-order"]
    assert loop("f(event)", f"@activity(retries=2)\ndef f(y):\n{over_set}") == []
    assert loop("pass", f"def f(y):\n{over_set}") == []
    assert loop("f(event)", f"def f(y: set[str]):\n{over_set.replace('set(y)', 'y')}") == ["set-order"]
    assert loop("f(event)", f"def f(y: list[str]):\n{over_set.replace('set(y)', 'y')}") == []


def test_whole_clients() -> None:
    """Importing a family of clients is worth knowing where its members need different packages."""
    assert found(HANDLERS + "from autokitteh import google, slack, asana\nimport autokitteh.slack\n") == [
        "program.py:3 whole-clients"
    ]
    assert found(HANDLERS + "from autokitteh.google import gmail_client\nimport autokitteh.zoom\n") == []


def test_ignoring() -> None:
    """A comment at the end of a line leaves out what it names there, in every kind of file."""
    code = HANDLERS + "from autokitteh import google  # for all: # ak: ignore[set-order, whole-clients]\n"
    assert found(code) == []
    assert found(code.replace("whole-clients", "late-import")) == ["program.py:3 whole-clients"]
    assert found(HANDLERS, requirements__txt="requests # ak: ignore[promised-package]\n") == []
    assert found(HANDLERS, UNUSED.replace("slack}", "slack} # ak:ignore[unused-connection]")) == []


def test_what_cannot_be_ignored() -> None:
    """What stands against deploying is told all the same."""
    assert found(HANDLERS + "x = ( # ak: ignore[syntax]\n") == ["program.py:3 syntax"]


def test_findings_are_complete() -> None:
    """Each says how bad it is, what is wrong and what to do, in the order of the files."""
    findings = find_findings(source_of(HANDLERS + "import autokitteh.google", requirements__txt="requests"))

    assert [(each.id, each.severity) for each in findings] == [
        ("whole-clients", Severity.INFO),
        ("promised-package", Severity.WARNING),
    ]
    assert findings[1].message == "requests is there without being asked for, as requests~=2.32"
    assert findings[1].remedy == "Remove the line."


CODE = st.lists(
    st.sampled_from(
        [
            *(
                "import a",
                "from autokitteh import google, next_signal",
                "def plain(e):",
                "def durable(e):",
                "    a.b(e)",
            ),
            *(
                "    for x in {e, a}: a(x)",
                "    next_signal('x')",
                "    plain(e)",
                "    durable(e)",
                "class K:",
                "x = (",
            ),
            *("    s = s | {a}", "    [a(y) for y in s]", "from . import x", "def f(x: set = {a}): x"),
        ]
    ),
    max_size=12,
).map("\n".join)


@given(CODE, st.text("abc-=<>1.\n @:/", max_size=20))
def test_any_project_is_looked_at(code: str, requirements: str) -> None:
    """No project makes a rule fail in a way of its own, and places are in its files."""
    source = source_of(code, requirements__txt=requirements)

    for each in find_findings(source):
        assert 1 <= each.line <= source.files[each.file].count(b"\n") + 1
