"""The promised packages, and what the SDK's clients need."""

import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest
from packaging.requirements import Requirement

import autokitteh
from autokitteh_server.builds.clients import CLIENTS, find_client, needs_of_import
from autokitteh_server.builds.imports import Origin, ProjectModules, imports_of
from autokitteh_server.builds.packages import PROMISED, constraints_text, find_promised, package_of
from autokitteh_server.builds.syntax import parse

#: Modules of the SDK that are not for a service.
CORE = {
    *("activities", "attr_dict", "connections", "errors", "event", "events", "outcomes", "sessions", "signals"),
    *("store", "testing", "triggers"),
}


def test_every_promise_is_a_range() -> None:
    """Each package has a range that uv can read, and modules that no other has."""
    modules = [module for package in PROMISED for module in package.modules]

    assert len(PROMISED) == 33
    assert len(modules) == len(set(modules))
    assert all(len(Requirement(package.requirement).specifier) == 1 for package in PROMISED)
    assert [package.name for package in PROMISED] == sorted((package.name for package in PROMISED), key=str.lower)


def test_constraints() -> None:
    """They have one line for each package."""
    lines = constraints_text().splitlines()

    assert len(lines) == len(PROMISED)
    assert "anthropic~=0.54.0" in lines and "discord.py~=2.5" in lines


@pytest.mark.parametrize(
    ("module", "package"),
    [
        ("slack_sdk.web.client", "slack-sdk"),
        ("google.generativeai", "google-generativeai"),
        ("google.oauth2.credentials", "google-auth-httplib2"),
        ("google.cloud.storage", None),
        ("google", None),
        ("googleapiclient.discovery", "google-api-python-client"),
        ("azure.identity.aio", "azure-identity"),
        ("azure.storage", None),
        ("botocore.exceptions", "boto3"),
        ("yaml", "PyYAML"),
        ("slack_sdk_of_another", None),
        ("", None),
    ],
)
def test_which_package_has_a_module(module: str, package: str | None) -> None:
    """The longest name counts, part by part; where several packages share a namespace, its name alone says nothing."""
    found = package_of(module)

    assert (found and found.name) == package


def test_spellings_of_packages() -> None:
    """A package is known however it is written."""
    assert find_promised("Slack_SDK") is find_promised("slack-sdk") is not None
    assert find_promised("notion.client") is find_promised("notion_client")
    assert find_promised("numpy") is None


def test_needs_of_clients_are_promised() -> None:
    """What is in the table of clients can be had: its packages are promised, and they have its modules."""
    for functions in CLIENTS.values():
        for needs in functions.values():
            assert all(find_promised(name) for name in needs.packages)
            assert all(package_of(module) for module in needs.modules)
            assert not any(package_of(module) for module in needs.unpromised)


def test_every_client_of_the_sdk_is_in_the_table() -> None:
    """The SDK has no function for a service of which nobody knows what it needs."""
    here = {each.name for each in pkgutil.iter_modules(autokitteh.__path__) if not each.name.startswith("_")}

    for name in here - CORE:
        module = importlib.import_module(f"autokitteh.{name}")
        public = {
            each
            for each, value in vars(module).items()
            if inspect.isfunction(value) and value.__module__ == module.__name__ and not each.startswith("_")
        }
        assert public <= CLIENTS[name].keys(), f"say in builds/clients.py what the functions of {name} need"


WRITTEN = sorted(name for name in CLIENTS if (Path(autokitteh.__path__[0]) / f"{name}.py").exists())


@pytest.mark.parametrize("name", WRITTEN)
def test_clients_import_what_the_table_says(name: str) -> None:
    """The SDK's module for a service takes nothing from any other package than those that the table has for it."""
    tree = parse((Path(autokitteh.__path__[0]) / f"{name}.py").read_bytes())
    assert tree is not None
    needed = {package for needs in CLIENTS[name].values() for package in needs.packages}
    others = [module for needs in CLIENTS[name].values() for module in (*needs.unpromised, *needs.brought)]
    free = {module.partition(".")[0] for module in others}

    for each in imports_of(f"{name}.py", tree):
        if ProjectModules([]).origin(each.module) is Origin.THIRD_PARTY:
            package = package_of(each.module)
            has_it = package.name in needed if package else each.module.partition(".")[0] in free
            assert has_it, each.module


def test_functions_and_whole_modules() -> None:
    """A function needs its own packages; a module that is imported whole those of all its functions."""
    one = needs_of_import("autokitteh.google", ("gemini_client", "google_id", "unheard_of"))
    whole = needs_of_import("autokitteh.google", ())

    assert [needs.packages for needs in one] == [("google-generativeai",), ()]
    assert {name for needs in whole for name in needs.packages} >= {"gspread", "google-generativeai"}
    assert (
        needs_of_import("autokitteh", ("google", "activity")) == needs_of_import("autokitteh.google", ("*",)) == whole
    )
    assert not any(needs.unpromised for needs in whole)
    assert needs_of_import("autokitteh", ()) == needs_of_import("autokitteh.store", ()) == []


def test_names_of_clients() -> None:
    """Only a function of a module for a service is one."""
    assert find_client("autokitteh.slack.slack_client") is CLIENTS["slack"]["slack_client"]
    for other in ("slack_client", "autokitteh.slack_client", "autokitteh.slack", "mine.slack.slack_client", ""):
        assert find_client(other) is None
