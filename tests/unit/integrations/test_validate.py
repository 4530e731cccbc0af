"""Every integration has all that belongs to one, and the validator sees where it has not."""

import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from autokitteh_server.core.manifest_schema import INTEGRATIONS
from autokitteh_server.integrations.incoming import load_webhook
from autokitteh_server.integrations.registry import load_integration
from autokitteh_server.integrations.spec import AuthType
from autokitteh_server.integrations.validate import Sdk, find_event_faults, find_faults, find_hook_faults

ROOT = Path(__file__).parent.parent.parent.parent


def test_nothing_is_amiss() -> None:
    """Folders, helpers, what they read, pages."""
    assert find_faults(ROOT / "src", ROOT / "docs") == []


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The folders that it looks at, to be spoilt."""
    ignore = shutil.ignore_patterns("__pycache__")
    for part in ("autokitteh", "autokitteh_server/integrations"):
        shutil.copytree(ROOT / "src" / part, tmp_path / "src" / part, ignore=ignore)
    shutil.copytree(ROOT / "docs" / "integrations", tmp_path / "docs" / "integrations")
    return tmp_path


def test_faults_are_seen(copy: Path) -> None:
    """Each kind of fault has its line."""
    folders, sdk = copy / "src/autokitteh_server/integrations", copy / "src/autokitteh"
    (folders / "unheard_of").mkdir()
    shutil.rmtree(folders / "asana")
    (folders / "aws" / "check.py").unlink()
    (folders / "slack" / "README.md").write_text("## Credentials\n")
    (copy / "docs" / "integrations" / "jira.md").unlink()
    (sdk / "notion.py").write_text('READS = ("api_key", "api_kee")\n')
    (sdk / "stray.py").write_text("READS = ()\n")

    assert find_faults(copy / "src", copy / "docs") == [
        "unheard_of: no manifest knows it",
        "asana: it has no folder",
        "aws: its check belongs into check.py",
        "jira: docs/integrations/jira.md is missing: say `make docs`",
        "notion: there is no autokitteh.notion:notion_client in the SDK",
        "slack: README.md lacks '## Example'",
        "autokitteh.notion: it reads what nobody stores: api_kee",
        "autokitteh.stray: it is the helper of no integration",
    ]


def test_addresses_that_lead_nowhere() -> None:
    """What people are to enter has to be something that a service can call, and that is known."""
    asana = load_integration("asana")
    hooks = ("asana/webhook/{connection_id}", "asana/event", "nobody/webhook", "asana/webhook/{made_up}")
    auth = AuthType(name="pat", title="PAT", generates=("made_up", "WebhookSecret"), hooks=hooks)

    assert list(find_hook_faults(asana)) == []
    assert list(find_hook_faults(replace(asana, auth=(auth,)))) == [
        "pat: it generates what it does not learn",
        "pat: nobody listens at asana/event",
        "pat: nobody listens at nobody/webhook",
        "pat: nobody stores what is in asana/webhook/{made_up}",
    ]


def test_events_come_from_somewhere() -> None:
    """A service brings them, also one that another integration speaks to, or this server makes them."""
    own, github, aws = (load_integration(name) for name in ("autokitteh", "githubcopilot", "aws"))

    assert [*find_event_faults(own), *find_event_faults(github)] == []
    assert list(find_event_faults(replace(aws, events=own.events))) == ["it has events, and nothing brings them"]
    assert list(find_event_faults(replace(github, makes_events_here=True))) == [
        "its events are made here, and come from a service"
    ]


@pytest.mark.parametrize("name", sorted(INTEGRATIONS))
def test_secrets_of_webhooks_are_stored_as_such(name: str) -> None:
    """What requests are checked with is known to the integration, and is encrypted."""
    webhook = load_webhook(name)
    for variable in webhook.secret_variables if webhook is not None else ():
        pattern = re.sub(r"\\{\w+\\}", r"\\w+", re.escape(variable))
        assert any(re.fullmatch(pattern, each) for each in load_integration(name).secret_variables), variable


def test_reads_are_read_as_text(tmp_path: Path) -> None:
    """Tuples of tuples, of this module and others; what is more than that is refused."""
    (tmp_path / "a.py").write_text('V = ("x", *("y", "z"))\nREADS: Final = (*V, "w")\n')
    (tmp_path / "b.py").write_text("from autokitteh.a import READS as _READS\nREADS = _READS\n")
    (tmp_path / "c.py").write_text("READS = tuple(list())\n")

    assert Sdk(tmp_path).reads("b") == ("x", "y", "z", "w")
    assert Sdk(tmp_path).modules_that_read() == ["a", "b", "c"]
    with pytest.raises(LookupError, match="line 1"):
        Sdk(tmp_path).reads("c")
    with pytest.raises(LookupError, match="has no READS"):
        Sdk(tmp_path).reads("d")
