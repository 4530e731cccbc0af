"""What a project needs to be installed."""

import pytest

from autokitteh_server.builds.needs import Needs, find_needs
from autokitteh_server.builds.source import Source, source_from_files
from autokitteh_server.core.manifest_problems import ManifestError

MANIFEST = """\
version: v2
project:
  name: x
  triggers:
    - {name: t, type: webhook, call: "test_me.py:f"}
"""


def source_of(code: str = "", **others: str) -> Source:
    files = {"program.py": code} | {name.replace("__", "."): content for name, content in others.items()}
    return source_from_files("x", {path: content.encode() for path, content in files.items()})


def needs(code: str = "", **others: str) -> Needs:
    """What a program needs; other files are given with `__` for the point."""
    return find_needs(source_of(code, **others))


def test_nothing() -> None:
    """The standard library, the project's own modules and the SDK's root need nothing."""
    found = needs("import os, lib, autokitteh\nfrom autokitteh import activity, store\nfrom . import y\n", lib__py="")

    assert found == Needs(packages=(), requirements=(), options=(), modules=(), unknown=())


def test_promised_packages() -> None:
    """Each is needed wherever its modules are imported; loaded are only those that are imported at once."""
    found = needs(
        "import requests.sessions, yaml\ndef f():\n    import bs4\ntry:\n    import github\nexcept ImportError: 0"
    )

    assert found.packages == ("PyGithub~=2.6", "PyYAML~=6.0", "beautifulsoup4~=4.12", "requests~=2.32")
    assert found.modules == ("requests.sessions", "yaml")
    assert found.unknown == ()


def test_shared_namespaces() -> None:
    """Of `from google import x` each name may be a package of its own."""
    found = needs("from google import generativeai as genai, cloud\nfrom azure import identity\n")

    assert found.packages == ("azure-identity~=1.19", "google-generativeai~=0.8")
    assert found.modules == ("azure.identity", "google", "google.generativeai")
    assert [(each.module, each.names, each.line) for each in found.unknown] == [("google", ("cloud",), 1)]


def test_clients() -> None:
    """What the SDK's clients import is needed as if the code imported it."""
    found = needs("from autokitteh.slack import slack_client, normalize_channel_name\n")
    late = needs("def f():\n    from autokitteh.asana import asana_client\n")

    assert (found.packages, found.modules) == (("slack-sdk~=3.33",), ("slack_sdk",))
    assert (late.packages, late.modules) == (("asana~=5.0",), ())
    assert needs("from autokitteh.slack import normalize_channel_name\n").packages == ()


@pytest.mark.parametrize(
    "code", ["import autokitteh.google", "from autokitteh import google", "from autokitteh.google import *"]
)
def test_clients_of_a_whole_family(code: str) -> None:
    """Any of them may be used, so all their packages are needed; what is not promised is not asked for."""
    found = needs(code)

    assert {"google-generativeai~=0.8", "gspread~=6.2", "google-api-python-client~=2.155"} <= set(found.packages)
    assert "googleapiclient.discovery" in found.modules
    assert found.unknown == ()


def test_clients_of_packages_that_are_not_promised() -> None:
    """What such a client imports is unknown, at the line that imports the client."""
    found = needs("import os\nfrom autokitteh.openai import openai_pydantic_ai_provider\n")

    assert found.packages == ("openai~=1.57",)
    assert [(each.module, each.line) for each in found.unknown] == [("pydantic_ai", 2)]


def test_unknown_modules() -> None:
    """Modules that no promised package has are told with their place, and how much they matter."""
    found = needs(
        "import numpy.linalg as la\ndef f():\n    import pandas\ntry:\n    import fast\nexcept ImportError: 0\n"
    )

    assert [(each.module, each.line, each.is_late, each.is_guarded) for each in found.unknown] == [
        ("numpy.linalg", 1, False, False),
        ("pandas", 3, True, False),
        ("fast", 5, False, True),
    ]
    assert found.modules == ("numpy.linalg",)


def test_tests_do_not_count() -> None:
    """No session loads the tests that lie beside the code, unless a trigger calls them."""
    tests = {"test_me__py": "import pytest", "conftest__py": "import pytest", "me_test__py": "import pytest"}

    assert needs("", **tests).unknown == ()
    assert [each.file for each in needs("", **tests, autokitteh__yaml=MANIFEST).unknown] == ["test_me.py"]


def test_requirements() -> None:
    """They are passed on; their problems are raised, all at once."""
    found = needs("", requirements__txt="numpy<3\n--no-binary numpy\n")

    assert [(each.name, each.text, each.line) for each in found.requirements] == [("numpy", "numpy<3", 1)]
    assert found.options == ("--no-binary numpy",)
    with pytest.raises(ManifestError) as caught:
        needs("", requirements__txt="numpy\n-e .\n./x\n")
    assert [each.line for each in caught.value.problems] == [2, 3]
    assert str(caught.value).startswith("requirements.txt:2:1: a requirement that can be edited")


def test_broken_files_need_nothing() -> None:
    """What is wrong with them is told by others."""
    assert needs("import requests", broken__py="import (").packages == ("requests~=2.32",)
