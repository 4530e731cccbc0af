"""`make docs`: writes the pages of docs/reference and docs/integrations that follow from the code.

`--check` names those out of date.
"""

import importlib
import inspect
import pkgutil
import re
import sys
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import click
from integration_pages import integration_pages

import autokitteh
from autokitteh import (
    activities,
    attr_dict,
    connections,
    errors,
    event,
    events,
    outcomes,
    sessions,
    signals,
    testing,
    triggers,
)
from autokitteh_server import config_table
from autokitteh_server.api.app import ROUTES
from autokitteh_server.api.route import PREFIX, Route
from autokitteh_server.builds.clients import CLIENTS, SDK
from autokitteh_server.builds.lint import RULES
from autokitteh_server.builds.packages import PROMISED
from autokitteh_server.cli.exit_codes import ExitCode
from autokitteh_server.cli.main import ak
from autokitteh_server.core import manifest_schema
from autokitteh_server.core.api_types.tokens import Scope
from autokitteh_server.core.manifest_schema import Field, Kind, Section

FOLDER = Path(__file__).parent.parent / "docs" / "reference"
STORE = sys.modules["autokitteh.store"]  # the package's attribute of that name is the mapping

#: How wide help and signatures are in the pages.
HELP_WIDTH, WIDTH = 80, 100

MADE = "<!-- Made by `make docs`. Do not edit: change the code's own words. -->\n\n"


def main() -> int:
    """Write the pages that differ from what the code says, or name them."""
    stale = {name: text for name, text in pages().items() if not is_current(name, text)}
    for name, text in stale.items():
        path = (FOLDER / name).resolve()
        print(path.relative_to(FOLDER.parent.parent))
        if "--check" not in sys.argv:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
    return 1 if stale and "--check" in sys.argv else 0


def is_current(name: str, text: str) -> bool:
    """Whether a page is what it should be."""
    path = FOLDER / name
    return path.exists() and path.read_text() == text


def pages() -> dict[str, str]:
    """All pages by file name."""
    made = {
        "cli.md": cli_page,
        "manifest.md": manifest_page,
        "sdk.md": sdk_page,
        "errors.md": errors_page,
        "settings.md": settings_page,
        "http-api.md": http_api_page,
        "lint.md": lint_page,
        "packages.md": packages_page,
    }
    texts = {name: make() for name, make in made.items()}
    texts |= {f"../integrations/{name}": text for name, text in integration_pages().items()}
    return {name: MADE + text.strip() + "\n" for name, text in texts.items()}


# --- commands ---------------------------------------------------------------------------------------------------------


def cli_page() -> str:
    """Every command with its help, as `--help` shows it."""
    parts = [
        "# Commands",
        "Each command tells this itself: `ak --help`, `ak run --help`. Results go to standard output, all other talk "
        "to standard error.",
    ]
    for path, command in walk_commands():
        parts += [f"## {' '.join(('ak', *path))}", fence(help_of(path, command))]
    parts += ["## Exit codes", table(("code", "meaning"), [(str(int(code)), _words(code)) for code in ExitCode])]
    return "\n\n".join(map(wrapped, parts))


def walk_commands(path: tuple[str, ...] = (), command: click.Command = ak) -> Iterator[tuple[tuple[str, ...], Any]]:
    """`ak` and all its commands, in the order of the help; each with the words after `ak`."""
    yield path, command
    if isinstance(command, click.Group):
        ctx = _context(path, command)
        for name in command.list_commands(ctx):
            found = command.get_command(ctx, name)
            assert found is not None
            yield from walk_commands((*path, name), found)


def help_of(path: tuple[str, ...], command: click.Command) -> str:
    """What `--help` shows."""
    return command.get_help(_context(path, command))


def _context(path: tuple[str, ...], command: click.Command) -> click.Context:
    ctx = None
    for word in ("ak", *path[:-1]) if path else ():
        ctx = click.Context(ak, ctx, info_name=word)
    names = ak.context_settings.get("help_option_names")
    settings = {
        "terminal_width": HELP_WIDTH,
        "max_content_width": HELP_WIDTH,
        "help_option_names": names,
        "color": False,
    }
    return click.Context(command, ctx, info_name=path[-1] if path else "ak", **settings)


def _words(code: ExitCode) -> str:
    return code.name.lower().replace("_", " ")


# --- the manifest -----------------------------------------------------------------------------------------------------

_KINDS = {
    Kind.TEXT: "text",
    Kind.NAME: "name",
    Kind.FLAG: "true or false",
    Kind.ENTRY: "`file.py:function`",
    Kind.MARK: "`{}`",
}

_MANIFEST_INTRODUCTION = """\
# Manifest

A manifest describes a project. It is a YAML file in the project's directory, named `autokitteh.yaml`, `autokitteh.yml`
or `manifest.yaml`; the first of these that is there counts. A project that runs with `ak run` needs none.

`ak manifest validate` tells all that is wrong with one, each with its line and what to do. `ak manifest schema` prints
a JSON Schema for editors.

```yaml
version: v2

project:
  name: orders
  display_name: Orders of the shop

  vars:
    - name: CURRENCY
      value: EUR

  connections:
    - name: team_chat
      integration: slack

  triggers:
    - name: new_order
      type: webhook
      call: program.py:on_order
      is_durable: true
    - name: nightly
      type: schedule
      schedule: "@daily"
      timezone: Europe/Berlin
      call: program.py:report
    - name: message
      type: connection
      connection: team_chat
      event_type: message
      filter: data.text.startsWith("order")
      call: program.py:on_message
```

Names have letters, digits and `_`, and do not begin with a digit. Text may be written as a number: it is taken as it
stands. `ak run` uses the vars, and of the triggers `call` and `is_durable`. The rest is for `ak deploy`.

`v1` and `v2` differ in one thing: what `is_durable` is where a trigger does not say it."""

_MANIFEST_RULES = {
    "manifest": "`vars`, `connections` and `triggers` stand either here or in the project, each in one place only.",
    "trigger": "A trigger has one source: a webhook, a schedule, or a connection. Where `schedule`, `connection` or "
    "`webhook` says which, `type` may be left out. A schedule needs a `call`. A webhook or connection without `call` "
    "starts nothing: code subscribes to it.",
}


def manifest_page() -> str:
    """The manifest's fields, section by section."""
    parts = [_MANIFEST_INTRODUCTION]
    for section in _sections(manifest_schema.MANIFEST):
        title = "Top level" if section is manifest_schema.MANIFEST else section.noun.capitalize()
        parts += [f"## {title}", section.help, _field_table(section), _MANIFEST_RULES.get(section.noun, "")]
    integrations = ", ".join(f"`{name}`" for name in manifest_schema.INTEGRATIONS)
    parts += [
        "## Integrations",
        f"What a connection can be to: {integrations}. Each has [a page](../integrations/README.md).",
    ]
    return "\n\n".join(map(wrapped, filter(None, parts)))


def _sections(section: Section) -> Iterator[Section]:
    found = {section.noun: section}
    waiting = [section]
    while waiting:
        for each in waiting.pop(0).fields:
            if each.section is not None and each.section.noun not in found:
                found[each.section.noun] = each.section
                waiting.append(each.section)
    yield from found.values()


def _field_table(section: Section) -> str:
    rows = [(f"`{each.name}`", _kind(each), "yes" if each.required else "", each.help) for each in section.fields]
    return table(("field", "value", "required", "meaning"), rows)


def _kind(each: Field) -> str:
    if each.section is not None:
        link = f"[{each.section.noun}](#{each.section.noun})"
        return f"list, each a {link}" if each.kind is Kind.LIST else link
    if each.kind is Kind.CHOICE:
        long = len(each.choices) > 5
        return "see [Integrations](#integrations)" if long else ", ".join(f"`{choice}`" for choice in each.choices)
    return _KINDS[each.kind]


# --- the SDK ----------------------------------------------------------------------------------------------------------

_SDK_INTRODUCTION = """\
# SDK

What workflow code imports: `import autokitteh`. Outside a session, in a test or an interactive Python, all of it works
against [a stand-in in memory](#testing).

"Mode" says in which sessions a function works. JSON values are None, booleans, numbers, strings, and lists and dicts of
them; bytes may occur in them."""

#: Sections of the page, each with the module that has the names in it.
_SDK: tuple[tuple[str, ModuleType], ...] = (
    ("Activities", activities),
    ("Sessions", sessions),
    ("Signals", signals),
    ("Store", STORE),
    ("Events", events),
    ("Outcomes", outcomes),
    ("Triggers", triggers),
    ("What sessions are told", event),
    ("Data", attr_dict),
)


#: Modules named after services: they say which vars of a connection they read.
_CLIENTS: tuple[ModuleType, ...] = tuple(
    module
    for found in pkgutil.iter_modules(autokitteh.__path__, "autokitteh.")
    if hasattr(module := importlib.import_module(found.name), "READS")
)

_CLIENTS_INTRODUCTION = """\
A module for each service, to be imported by itself: `from autokitteh.slack import slack_client`. Its functions make the
service's own client, with the credentials of a connection. Call them outside of functions: a client is not recorded,
but made anew whenever a session's process starts. [Clients of services](../explanation/clients.md) tells which results
can be recorded, and how clients outlive their tokens."""


def sdk_page() -> str:
    """Every public name of the SDK."""
    parts = [_SDK_INTRODUCTION]
    for title, module in _SDK:
        names = [name for name in vars(module) if name in autokitteh.__all__ and _is_defined_in(module, name)]
        parts += [f"## {title}", *(_entry(f"autokitteh.{name}", getattr(module, name)) for name in names)]
    parts += ["## Clients of services", _CLIENTS_INTRODUCTION]
    for module in _CLIENTS:
        parts += [_entry(f"{module.__name__}.{name}", getattr(module, name)) for name in _public(module)]
    for function in (connections.refresh_oauth, connections.encode_jwt):
        parts.append(_entry(f"autokitteh.connections.{function.__name__}", function))
    parts += ["## Errors", "See [Errors](errors.md).", "## Testing", _markdown(inspect.getdoc(testing) or "")]
    for name in _public(testing):
        parts.append(_entry(f"autokitteh.testing.{name}", getattr(testing, name)))
    return "\n\n".join(parts)


def _is_defined_in(module: ModuleType, name: str) -> bool:
    owner = getattr(getattr(module, name), "__module__", "")
    return bool(owner == module.__name__)


def _public(module: ModuleType) -> list[str]:
    if hasattr(module, "__all__"):
        return [name for name in module.__all__ if name != "READS"]
    return [
        name
        for name, value in vars(module).items()
        if not name.startswith("_") and callable(value) and _is_defined_in(module, name) and hasattr(value, "__name__")
    ]


def _entry(name: str, value: Any) -> str:
    described = value if callable(value) else type(value)
    parts = [f"### {name}"]
    if callable(value):
        parts.append(fence(_signature(name, value)))
    parts.append(_markdown(inspect.getdoc(described) or ""))
    if inspect.isclass(value):
        for method, function in vars(value).items():
            if inspect.isfunction(function) and not method.startswith("_") and function.__doc__:
                parts += [fence(_signature(method, function)), _markdown(inspect.getdoc(function) or "")]
    return "\n\n".join(parts)


def _signature(name: str, value: Callable[..., Any]) -> str:
    signature = inspect.signature(value)
    parameters = [p for p in signature.parameters.values() if p.name != "self"]
    returns = signature.empty if inspect.isclass(value) else signature.return_annotation
    shown = str(signature.replace(parameters=parameters, return_annotation=returns))
    # Where a type is defined is of no interest here.
    shown = re.sub(r"\b(?:[a-z_]+\.)+(?=[A-Za-z])", "", shown).replace("/, ", "").replace("~Marked", "Callable")
    short = name.rpartition(".")[2]
    if len(short + shown) <= WIDTH:
        return short + shown
    inner = [f"    {parameter}," for parameter in _split(shown[shown.index("(") + 1 : shown.rindex(")")])]
    return "\n".join([f"{short}(", *inner, f"){shown[shown.rindex(')') + 1 :]}"])


def _split(parameters: str) -> list[str]:
    """Parameters one by one; the commas between brackets belong to types."""
    return re.split(r", (?![^\[]*\])", parameters)


def _markdown(doc: str) -> str:
    """A docstring as it stands, but for code in it, which is indented there and fenced in a page."""
    return re.sub(
        r"((?:^(?: {4}.*)?\n)*^ {4}.*$)", lambda match: "\n" + fence(inspect.cleandoc(match[1])), doc, flags=re.M
    )


# --- errors -----------------------------------------------------------------------------------------------------------


def errors_page() -> str:
    """Every error of the SDK."""
    introduction, tree, rest = (inspect.getdoc(errors) or "").split("\n\n", 2)
    parts = ["# Errors", introduction, fence(tree), _markdown(rest)]
    for name, cls in vars(errors).items():
        if inspect.isclass(cls) and not name.startswith("_"):
            where = "autokitteh" if name in autokitteh.__all__ else "autokitteh.errors"
            parts += [f"## {name}", _markdown(inspect.getdoc(cls) or ""), f"`from {where} import {name}`"]
    return "\n\n".join(parts)


# --- settings ---------------------------------------------------------------------------------------------------------

_SETTINGS_INTRODUCTION = """\
# Settings

Each setting can stand in the configuration file, in an environment variable, or, for some, in an option of a command.
The later of these wins. The file is `autokitteh/config.yaml` in the XDG config directory, which is `~/.config` unless
`XDG_CONFIG_HOME` says otherwise; `ak config where` tells. A point in a key is a level in the file, and two underscores
in the variable's name:

```text
max_runners: 64              AK_MAX_RUNNERS=64
http:
  addr: 0.0.0.0:9980         AK_HTTP__ADDR=0.0.0.0:9980
```

A key or variable that there is not, and a value that can't be used, are errors, with file and line; all of them are
told at once. `ak config list` shows what is in force, and who said so."""


def settings_page() -> str:
    """Every setting, and the variables that `ak` itself looks at."""
    rows = [
        (f"`{option.key}`", option.kind.name, option.default_text, option.help)
        for option in config_table.table().values()
    ]
    others = config_table.OTHER_VARIABLES | {"NO_COLOR": "1: no colours on a terminal"}
    return "\n\n".join(
        [
            _SETTINGS_INTRODUCTION,
            table(("key", "value", "default", "meaning"), rows),
            "## Other variables",
            "Not settings of a server, so they don't stand in the file.",
            table(("variable", "meaning"), [(f"`{name}`", meaning) for name, meaning in others.items()]),
        ]
    )


# --- the HTTP API -----------------------------------------------------------------------------------------------------

_API_INTRODUCTION = """\
# HTTP API

All that `ak` does with a server goes over this API, below `/api/v1`. Requests and answers are JSON. What each route
takes and gives is in the server's own description, OpenAPI 3.1, at `/api/v1/openapi.json`, from which programs can make
clients.

```sh
curl -H "Authorization: Bearer $(cat ~/.local/share/autokitteh/token)" http://127.0.0.1:9980/api/v1/sessions
ak token create dashboard --scope read --expires-in 90d
```

## Tokens

Each request has the header `Authorization: Bearer ak_...`. At its first start a server makes a token that is good for
everything, and writes it into the file `token` of its data folder. `ak token` makes others, with some of these
scopes:"""

_SCOPES = {
    Scope.READ: "see everything but the values of secret vars",
    Scope.WRITE: "change everything but tokens",
    Scope.SECRETS: "see the values of secret vars, with `reveal=true`",
    Scope.ADMIN: "list, make and revoke tokens",
}

_API_RULES = """\
## Errors

Errors have one shape, whatever went wrong: `code` is for programs and stays the same, `message` says what and where,
and `remedy`, which may be empty, how to mend it.

```json
{"error": {
  "code": "not_found",
  "message": "there is no project named 'demo'",
  "remedy": "`ak project list` shows those there are."
}}
```

| status | meaning | exit code of `ak` |
|---|---|---|
| 400 | something given is not usable; the message names it | 40 |
| 401 | it is not known who asks | 41 |
| 403 | who asks may not; or a page of another origin asks | 43 |
| 404 | there is no such thing | 44 |
| 405 | the path has no such method | 40 |
| 409 | not possible in the present state | 42 |
| 413 | the body is larger than 1 MiB; for a project's files 64 MiB | 40 |
| 415 | the body is not said to be JSON | 40 |
| 421 | the server is not that host: see the setting `http.allowed_hosts` | 40 |
| 500 | a mistake of the server's; its log says more under the number in the message | 1 |
| 503 | not possible just now | 42 |

## Lists

A list comes in pages: `{"items": [...], "next": "..."}`. `limit` is 1 to 500, and 50 unless given. `next` is the
`cursor` for the following page; null: there is none.

## Values with bytes

Where users' values stand, an event's data or a session's result, bytes are `{"$bytes": base64}`, whole numbers of more
than 600 digits `{"$int": hexadecimal}`; and an object whose only key begins with `$` is `{"$dict": {...}}`.

## Following a session

`GET /api/v1/sessions/{session}/log/stream` sends [the session's log](session-log.md) as server-sent events, each entry
when it is durable, and at last an event `end` with the session. The id of an event is its place: a client that sends
`Last-Event-ID` goes on after it, as browsers do by themselves. A stream that ends without `end` was ended by the
server, which stops.

## Without a token

`/health` answers 200 while the server lives, `/ready` while it can work and 503 when not. Webhooks and published values
have URLs of their own, which nobody can guess.

## Routes

Parts of a path in braces are names or ids."""


def http_api_page() -> str:
    """Every route, and the rules that hold for all."""
    parts = [
        _API_INTRODUCTION,
        table(("scope", "good for"), [(f"`{scope}`", _SCOPES[scope]) for scope in Scope]),
        _API_RULES,
        table(("route", "scope", "what it does"), [_route_row(route) for route in ROUTES]),
    ]
    return "\n\n".join(parts)


def _route_row(route: Route) -> tuple[str, ...]:
    words = " ".join((route.handler.__doc__ or "").split())
    return (f"`{route.method} {PREFIX}{route.path}`", f"`{route.scope}`", words)


# --- lint -------------------------------------------------------------------------------------------------------------

_LINT_INTRODUCTION = """\
# What `ak project lint` finds

`ak project lint my_project/` looks at a project's files without running them. It is silent where it can't be sure. Each
finding has the file, the line, how much it matters, and what to do:

```text
program.py:12: warning set-order what is done for each element of this set is recorded, and in a replay their ...
    Give them an order: `sorted(...)`.
```

An error cannot work, a warning is hardly meant, and an info is good to know. With an error the command ends with 1;
with `--strict` also with a warning.

A comment at the end of a line, in the code, in the manifest or in `requirements.txt`, leaves out there what it names:
`# ak: ignore[set-order]`, or several, `# ak: ignore[set-order, late-import]`. What stands against deploying is told all
the same."""


def lint_page() -> str:
    """Every rule of `ak project lint`."""
    parts = [_LINT_INTRODUCTION]
    for rule in RULES:
        note = "" if rule.can_be_ignored else " It can't be left out: the project can't be deployed like this."
        parts += [f"## {rule.id}", f"{rule.severity.capitalize()}: {rule.title}.", rule.about + note]
    return "\n\n".join(map(wrapped, parts))


# --- packages ---------------------------------------------------------------------------------------------------------

_PACKAGES_INTRODUCTION = """\
# Promised packages

Code can import these without asking, so they don't stand in `requirements.txt`: see
[Use packages](../howto/packages.md)."""

_CLIENTS_OF_SERVICES = """\
The SDK's modules for services need some of them. A project that imports a function gets what that one needs; a project
that imports a module whole gets what all of its functions need."""


def packages_page() -> str:
    """Every promised package, and what the SDK's clients need."""
    rows = [(package.requirement, ", ".join(f"`{each}`" for each in package.modules)) for package in PROMISED]
    clients = [
        (f"`{module.__name__}`", f"`{function}`", ", ".join((*needs.packages, *needs.unpromised)))
        for module in _CLIENTS
        for function, needs in CLIENTS[module.__name__.removeprefix(f"{SDK}.")].items()
        if hasattr(module, function) and (needs.packages or needs.unpromised)
    ]
    return "\n\n".join(
        [
            _PACKAGES_INTRODUCTION,
            table(("package", "modules"), rows),
            "## Clients of services",
            _CLIENTS_OF_SERVICES,
            table(("module", "function", "needs"), clients),
        ]
    )


# --- Markdown ---------------------------------------------------------------------------------------------------------


def fence(text: str) -> str:
    """Text as it stands."""
    return f"```text\n{text.rstrip()}\n```"


def wrapped(paragraph: str) -> str:
    """A paragraph in lines as long as the others; anything else as it is."""
    return textwrap.fill(paragraph, 120, break_on_hyphens=False) if "\n" not in paragraph else paragraph


def table(titles: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """A table."""
    lines = [titles, tuple("---" for _ in titles), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


if __name__ == "__main__":
    sys.exit(main())
