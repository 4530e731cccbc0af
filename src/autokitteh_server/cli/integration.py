"""`ak integration`: what connections can be made to."""

import json
from typing import TYPE_CHECKING

import click

from autokitteh_server.cli.lazy import Lazy, LazyGroup
from autokitteh_server.cli.server import json_option, show, show_all, with_client
from autokitteh_server.cli.table import render_fields, render_table
from autokitteh_server.cli.terminal import write_lines
from autokitteh_server.core.api_types.connections import AuthType, FormField, Integration, IntegrationDetails
from autokitteh_server.core.api_types.values import value_of

if TYPE_CHECKING:
    from autokitteh_server.client.client import Client

_HERE = "autokitteh_server.cli.integration"
_COMMANDS = {
    "list": Lazy(f"{_HERE}:list_", "List what connections can be made to."),
    "get": Lazy(f"{_HERE}:get", "Show what a connection asks for, and what events it has."),
    "sample": Lazy(f"{_HERE}:sample", "Print the data of a typical event."),
}

_EPILOG = """
\b
Examples:
  ak integration list
  ak integration get slack
  ak integration sample slack message | ak event dispatch PROJECT/CONNECTION --type message --data @-
"""


@click.group(cls=LazyGroup, lazy=_COMMANDS, epilog=_EPILOG)
def integration() -> None:
    """See what connections can be made to."""


@click.command("list", epilog=_EPILOG)
@json_option
@with_client
def list_(client: "Client", as_json: bool) -> None:
    """List what connections can be made to."""
    show_all(client.connections.integrations(1000), as_json, _render_list)


@click.command(epilog=_EPILOG)
@click.argument("name")
@json_option
@with_client
def get(client: "Client", name: str, as_json: bool) -> None:
    """Show what a connection asks for, and what events it has."""
    show(client.connections.integration(name), as_json, _render)


@click.command(epilog=_EPILOG)
@click.argument("name")
@click.argument("event_type")
@with_client
def sample(client: "Client", name: str, event_type: str) -> None:
    """Print the data of a typical event.

    That is what a handler gets as `event.data`: to be looked at, changed, and dispatched with `ak event dispatch`.
    """
    write_lines([json.dumps(value_of(client.connections.sample(name, event_type).data, "data"), indent=2)])


def _render_list(found: list[Integration]) -> list[str]:
    rows = [(each.name, each.title, ", ".join(each.auth_types), each.about) for each in found]
    return render_table(("NAME", "TITLE", "AUTH TYPES", "ABOUT"), rows)


def _render(found: IntegrationDetails) -> list[str]:
    lines = render_fields(
        {
            "name": found.name,
            "title": found.title,
            "about": found.about,
            "credentials": found.docs_url,
            "helper": found.helper.replace(":", "."),
            "package": found.package,
        }
    )
    for auth in found.auth_types:
        lines += ["", f"Auth type {auth.name}: {auth.title}", *_render_auth(auth)]
    if found.event_types:
        rows = [(each.name, each.title, "yes" * (each.name in found.sample_types)) for each in found.event_types]
        lines += ["", *render_table(("EVENT TYPE", "WHEN", "SAMPLE"), rows)]
    return lines


def _render_auth(auth: AuthType) -> list[str]:
    consent = ["Somebody has to agree, in a browser."] if auth.needs_consent else []
    rows = [(each.name, each.variable, _marks(each), f"{each.title}: {each.help}") for each in auth.fields]
    return [*consent, *render_table(("FIELD", "VARIABLE", "", "WHAT"), rows)]


def _marks(field: FormField) -> str:
    return ", ".join(["secret"] * field.is_secret + ["optional"] * field.is_optional)
