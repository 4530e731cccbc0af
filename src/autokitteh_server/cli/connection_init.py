"""`ak connection init`: asks for a connection's credentials, and has them tried."""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from autokitteh_server.cli.connection import code_of, connection_argument, render_status
from autokitteh_server.cli.exit_codes import ExitCode
from autokitteh_server.cli.options import parse_pairs, read_source
from autokitteh_server.cli.server import json_option, show, with_client
from autokitteh_server.cli.terminal import say, visible
from autokitteh_server.core.api_types.connections import (
    AuthType,
    FormField,
    InitConnection,
    Initialized,
    IntegrationDetails,
)
from autokitteh_server.core.errors import InvalidArgument
from autokitteh_server.core.names import did_you_mean

if TYPE_CHECKING:
    from autokitteh_server.client.client import Client

_EPILOG = """
\b
Examples:
  ak connection init my_project/my_slack
  ak connection init my_project/my_bot --set bot_token=@token.txt
  ak connection init my_project/my_mail --auth jsonKey --set json=@key.json
  pass show openai | ak connection init my_project/my_gpt --set key=@-

CON is PROJECT/CONNECTION, or a connection's id. `ak integration get NAME` shows the fields.
"""


@click.command(epilog=_EPILOG)
@connection_argument
@click.option(
    "--auth", metavar="TYPE", default="", help="By which way to authenticate. Default: asks, or goes by --set."
)
@click.option(
    "--set",
    "given",
    metavar="FIELD=VALUE",
    multiple=True,
    help="Fill a field in; FIELD=@FILE: with what a file has, FIELD=@-: with standard input.",
)
@json_option
@with_client
def init(client: "Client", which: str, auth: str, given: tuple[str, ...], as_json: bool) -> ExitCode:
    """Give a connection its credentials, and try them.

    On a terminal it asks for what is not given with --set; secrets are not shown. Fields that are left out stay as
    they are. Exits with 1 if the connection is not ok then.
    """
    values = {name: _value(name, text) for name, text in parse_pairs("--set", given).items()}
    found = client.connections.get(which)
    form = client.connections.integration(found.integration)
    if sys.stdin.isatty() and not as_json:
        say(f"{form.title}: see {form.docs_url}")
        chosen = _choose(form, auth, values)
        auth = chosen.name
        is_there = found.auth_type == chosen.name
        values = {**values, **{each.name: _ask(each, is_there) for each in chosen.fields if _is_asked(each, values)}}
    made = client.connections.init(which, InitConnection(auth_type=auth, values=values))
    show(made, as_json, _render)
    if made.authorize_url and sys.stdout.isatty() and not as_json:
        click.launch(made.authorize_url)  # where there is no browser, the address has been shown
    return code_of(made.connection) if not made.authorize_url else ExitCode.DONE


def _value(name: str, text: str) -> str:
    return read_source(f"--set {name}", text[1:]).rstrip("\r\n") if text.startswith("@") else text


def _choose(form: IntegrationDetails, name: str, values: Mapping[str, str]) -> AuthType:
    """The way to authenticate that was named, or that the values are for; else the user says."""
    by_name = {each.name: each for each in form.auth_types}
    if name:
        # Older names are known to the server only.
        return by_name.get(name) or AuthType(name=name, title=name, fields=[], needs_consent=False, scopes=[])
    fitting = [each for each in form.auth_types if values.keys() <= {field.name for field in each.fields}]
    if len(fitting) == 1:
        return fitting[0]
    for each in form.auth_types:
        say(f"  {each.name:16} {each.title}")
    answer = click.prompt("Auth type", default=form.auth_types[-1].name, err=True)
    if answer not in by_name:
        near = did_you_mean(answer, list(by_name))
        remedy = f"Did you mean {near}?" if near else f"Use one of: {', '.join(by_name)}."
        raise InvalidArgument(f"{form.name} has no auth type {answer[:100]!r}", remedy)
    return by_name[answer]


def _is_asked(field: FormField, values: Mapping[str, str]) -> bool:
    # What has many lines cannot be typed at a prompt, and a stand-in for the API is for those who know the flag.
    return field.name not in values and not field.is_multiline and not (field.name == "base_url" and field.is_optional)


def _ask(field: FormField, is_there: bool) -> str:
    may_be_empty = field.is_optional or is_there
    note = f" ({field.help})" if field.help else ""
    ending = " [as it is]" if is_there else " [none]" if field.is_optional else ""
    answer: str = click.prompt(
        visible(f"{field.title}{note}{ending}"),
        default="" if may_be_empty else None,
        show_default=False,
        hide_input=field.is_secret,
        err=True,
    )
    return answer


def _render(made: Initialized) -> list[str]:
    if made.authorize_url:
        return [f"Open this address, and agree: {made.authorize_url}"]
    lines = render_status(made.connection)
    events = made.connection.events
    if events is not None and events.addresses:
        lines += ["For its events, enter at the service:", *(f"  {each}" for each in events.addresses)]
    return lines
