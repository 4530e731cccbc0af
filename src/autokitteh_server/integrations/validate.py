"""Holds every integration's folder, its helper in the SDK, and its page to the same shape. A test runs it.

The SDK is read as text: the server never imports it.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from autokitteh_server.core.manifest_schema import INTEGRATIONS
from autokitteh_server.integrations.addresses import names_in
from autokitteh_server.integrations.forms import variables_of
from autokitteh_server.integrations.incoming import find_webhook, load_feed, load_gateway, load_webhook
from autokitteh_server.integrations.matching import CONNECTION_ID
from autokitteh_server.integrations.registry import load_integration
from autokitteh_server.integrations.spec import Integration

#: What a folder's README.md has to say; the rest of its page follows from the description.
HEADINGS = ("## Credentials", "## Example")

#: Modules of the SDK that read variables, and belong to no integration, with the reason.
WITHOUT_INTEGRATION = {
    "azurebot": "its connections are made by hand: a bot's id and password",
    "oauth2_session": "what several helpers are made of",
}


def find_faults(source: Path, docs: Path) -> list[str]:
    """What is amiss, a line each. `source` is the folder of the three packages."""
    folders = source / "autokitteh_server" / "integrations"
    sdk = Sdk(source / "autokitteh")
    there = {each.name for each in folders.iterdir() if each.is_dir() and not each.name.startswith("_")}
    faults = [f"{name}: no manifest knows it" for name in sorted(there - set(INTEGRATIONS))]
    faults += [f"{name}: it has no folder" for name in sorted(set(INTEGRATIONS) - there)]
    for name in sorted(there & set(INTEGRATIONS)):
        spec = load_integration(name)
        found = [*_folder_faults(spec, folders / name), *_helper_faults(spec, sdk), *_page_faults(name, docs)]
        faults += [f"{name}: {fault}" for fault in found]
    return [*faults, *_reading_faults(sdk)]


def _folder_faults(spec: Integration, folder: Path) -> Iterator[str]:
    if spec.name != folder.name:
        yield f"its description calls it {spec.name}"
    if (spec.check is None) != bool(spec.unchecked):
        yield "it needs a check, or else the reason why it has none"
    if (spec.check is None) == (folder / "check.py").exists():
        yield "its check belongs into check.py"
    if not spec.auth:
        yield "there is no way to authenticate"
    names = [name for auth in spec.auth for name in (auth.name, *auth.aliases)]
    if len(names) != len(set(names)):
        yield "two ways to authenticate have the same name"
    yield from find_hook_faults(spec)
    yield from find_event_faults(spec)
    if not set(spec.learns_secrets) <= set(spec.learns):
        yield "it keeps a secret that it does not learn"
    for auth in spec.auth:
        for field in auth.fields:
            if not field.help:
                yield f"{auth.name}: {field.name} has no help"
    if not all((spec.title, spec.about.endswith("."), spec.docs_url.startswith("https://"))):
        yield "title, about or docs_url is missing or odd"
    readme = folder / "README.md"
    text = readme.read_text() if readme.exists() else ""
    for heading in HEADINGS:
        if f"{heading}\n" not in text:
            yield f"README.md lacks {heading!r}"


def find_event_faults(spec: Integration) -> Iterator[str]:
    """What is amiss with how its events come in, a line each."""
    if spec.events and not spec.makes_events_here and not _is_served(spec.name):
        yield "it has events, and nothing brings them"
    if spec.makes_events_here and _is_served(spec.name):
        yield "its events are made here, and come from a service"


def _is_served(name: str) -> bool:
    """Whether a service sends events, is asked for them, or has a connection held open to it."""
    return any(part(name) is not None for part in (find_webhook, load_feed, load_gateway))


def find_hook_faults(spec: Integration) -> Iterator[str]:
    """What is amiss with the addresses that people are to enter at the service, a line each."""
    known = {CONNECTION_ID, *variables_of(spec)}
    for auth in spec.auth:
        if not set(auth.generates) <= set(spec.learns):
            yield f"{auth.name}: it generates what it does not learn"
        for hook in auth.hooks:
            name, _, path = hook.partition("/")
            webhook = load_webhook(name)
            if webhook is None or webhook.template_of(path) is None:
                yield f"{auth.name}: nobody listens at {hook}"
            if not set(names_in(hook)) <= known:
                yield f"{auth.name}: nobody stores what is in {hook}"


def _helper_faults(spec: Integration, sdk: "Sdk") -> Iterator[str]:
    if not spec.helper:
        return
    module, _, function = spec.helper.removeprefix("autokitteh.").partition(":")
    if function not in sdk.names(module):
        yield f"there is no {spec.helper} in the SDK"


def _page_faults(name: str, docs: Path) -> Iterator[str]:
    if not (docs / "integrations" / f"{name}.md").exists():
        yield f"docs/integrations/{name}.md is missing: say `make docs`"


def _reading_faults(sdk: "Sdk") -> Iterator[str]:
    """Helpers read only what forms, OAuth and checks can have stored."""
    stored: dict[str, set[str]] = {}
    for name in INTEGRATIONS:
        spec = load_integration(name)
        module = spec.helper.removeprefix("autokitteh.").partition(":")[0]
        stored.setdefault(module, set()).update(variables_of(spec))
    for module in sdk.modules_that_read():
        if module in WITHOUT_INTEGRATION:
            continue
        if module not in stored:
            yield f"autokitteh.{module}: it is the helper of no integration"
            continue
        unknown = set(sdk.reads(module)) - stored[module]
        if unknown:
            yield f"autokitteh.{module}: it reads what nobody stores: {', '.join(sorted(unknown))}"


class Sdk:
    """The SDK's modules as text."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def modules_that_read(self) -> list[str]:
        """The modules that define READS."""
        return [each.stem for each in sorted(self._folder.glob("*.py")) if self._assigned(each.stem, "READS")]

    def names(self, module: str) -> set[str]:
        """The functions that a module defines or imports."""
        names = set()
        for node in self._body(module):
            if isinstance(node, ast.FunctionDef):
                names.add(node.name)
            elif isinstance(node, ast.ImportFrom):
                names.update(alias.asname or alias.name for alias in node.names)
        return names

    def reads(self, module: str) -> tuple[str, ...]:
        """The variables that a module's READS lists."""
        return self._value_of(module, "READS")

    def _value_of(self, module: str, name: str) -> tuple[str, ...]:
        """A tuple of texts, which may be made of others, also of other modules. Raises LookupError."""
        value = self._assigned(module, name)
        if value is not None:
            return self._evaluate(module, value)
        for node in self._body(module):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("autokitteh."):
                for alias in node.names:
                    if (alias.asname or alias.name) == name:
                        return self._value_of((node.module or "").removeprefix("autokitteh."), alias.name)
        raise LookupError(f"autokitteh.{module} has no {name}")

    def _evaluate(self, module: str, value: ast.expr) -> tuple[str, ...]:
        if isinstance(value, ast.Constant):
            return (str(value.value),)
        if isinstance(value, ast.Name):
            return self._value_of(module, value.id)
        if isinstance(value, ast.Starred):
            return self._evaluate(module, value.value)
        if isinstance(value, ast.Tuple):
            return tuple(each for part in value.elts for each in self._evaluate(module, part))
        raise LookupError(f"autokitteh.{module}, line {value.lineno}: this is more than a tuple of texts")

    def _assigned(self, module: str, name: str) -> ast.expr | None:
        for node in self._body(module):
            targets = node.targets if isinstance(node, ast.Assign) else []
            if isinstance(node, ast.AnnAssign):
                targets = [node.target]
            if any(isinstance(target, ast.Name) and target.id == name for target in targets):
                assert isinstance(node, ast.Assign | ast.AnnAssign)
                return node.value
        return None

    def _body(self, module: str) -> list[ast.stmt]:
        path = self._folder / f"{module}.py"
        return ast.parse(path.read_bytes()).body if path.exists() else []
