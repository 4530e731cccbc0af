"""Help, versions and manifests."""

import json

import pytest

from ak_process import Ak
from autokitteh_server.cli.lazy import LazyGroup
from autokitteh_server.cli.main import ak as ak_command

GOOD = "version: v1\nproject:\n  name: p\n"


def test_manifest_schema_is_json(ak: Ak) -> None:
    """The schema can be piped into a file that editors read."""
    ended = ak("manifest", "schema")

    assert ended.code == 0
    assert "project" in json.loads(ended.out)["properties"]


def test_good_manifest(ak: Ak) -> None:
    """A file, or the directory it is in; standard output stays empty."""
    (ak.folder / "autokitteh.yaml").write_text(GOOD)

    for target in ("autokitteh.yaml", "."):
        ended = ak("manifest", "validate", target)
        assert (ended.code, ended.out) == (0, "")
        assert ended.err == "autokitteh.yaml: fine: project p, 0 triggers, 0 connections, 0 vars\n"


def test_bad_manifest_has_all_its_problems_told(ak: Ak) -> None:
    """Each with its place, for people and for programs."""
    (ak.folder / "m.yaml").write_text("version: v1\nproject:\n  nam: p\n  vars: 3\n")

    shown, objects = ak("manifest", "validate", "m.yaml"), ak("manifest", "validate", "m.yaml", "-j")

    assert (shown.code, objects.code) == (40, 40)
    assert shown.err.startswith("Error: m.yaml:3:3: ")
    assert "m.yaml:4:9: project.vars: " in shown.err
    assert [each["line"] for each in objects.objects] == [3, 3, 4]


def test_missing_manifest(ak: Ak) -> None:
    """A path that leads nowhere, and a directory without a manifest."""
    assert ak("manifest", "validate", "nope.yaml").code == 44
    assert ak("manifest", "validate", ".").code == 44


def test_version(ak: Ak) -> None:
    """As a command and as an option."""
    assert ak("version").out == ak("--version").out
    assert ak("version").out.startswith("autokitteh ")


@pytest.mark.parametrize("arguments", [[], ["run"], ["session"], ["session", "log"], ["manifest", "validate"]])
def test_help_has_examples(ak: Ak, arguments: list[str]) -> None:
    """Help goes to standard output, and shows how the command is really used."""
    ended = ak(*arguments, "--help")

    assert ended.code == 0
    assert "Examples:" in ended.out
    assert " ".join(["ak", *arguments]) in ended.out


@pytest.mark.parametrize("arguments", [[], ["session"], ["manifest"]])
def test_group_alone_shows_its_help(ak: Ak, arguments: list[str]) -> None:
    """Saying too little shows what could be said, as talk."""
    ended = ak(*arguments)

    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith("Usage: ak")


def test_lists_of_commands_say_what_the_commands_say() -> None:
    """Help of a group comes from a table, so that it imports nothing; the table must not go out of date."""
    groups = [ak_command, *(ak_command.get_command(None, name) for name in ak_command.lazy)]  # type: ignore[arg-type]

    for group in groups:
        if isinstance(group, LazyGroup):
            for name, lazy in group.lazy.items():
                command = group.get_command(None, name)  # type: ignore[arg-type]
                assert command is not None
                assert command.get_short_help_str(limit=200) == lazy.help
