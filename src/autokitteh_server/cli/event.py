"""`ak event`: what happened, and what came of it."""

from typing import TYPE_CHECKING

import click
from msgspec import UNSET

from autokitteh_server.cli.event_text import render_event, render_events, render_outcome, render_verdict_of_filter
from autokitteh_server.cli.exit_codes import ExitCode
from autokitteh_server.cli.lazy import Lazy, LazyGroup
from autokitteh_server.cli.names import project_names
from autokitteh_server.cli.options import parse_data
from autokitteh_server.cli.server import json_option, limit_option, project_option, show, show_all, with_client
from autokitteh_server.core.api_types.events import DispatchEvent, EventQuery, TryFilter
from autokitteh_server.core.api_types.values import raw

if TYPE_CHECKING:
    from autokitteh_server.client.client import Client

_HERE = "autokitteh_server.cli.event"
_COMMANDS = {
    "list": Lazy(f"{_HERE}:list_", "List events, the newest first."),
    "get": Lazy(f"{_HERE}:get", "Show an event, and why it did or did not start sessions."),
    "dispatch": Lazy(f"{_HERE}:dispatch", "Have an event come from a trigger or a connection."),
    "redispatch": Lazy(f"{_HERE}:redispatch", "Have an event happen once more."),
    "verify-filter": Lazy(f"{_HERE}:verify_filter", "Check a filter, and try it on an event."),
}

_EPILOG = """
\b
Examples:
  ak event list --project my_project
  ak event get evt_01m83...
  ak event dispatch my_project/my_slack --type message --data '{"text": "hello"}'
  ak event verify-filter "data.text.startsWith('!')" --data '{"text": "!help"}'

EVT is an event's id, or `last`: the newest one.
"""

_event_argument = click.argument("which", metavar="EVT")
_type = click.option("--type", "event_type", metavar="TYPE", default="", help="The event's type.")
_data = click.option("--data", metavar="JSON|@FILE", help="The event's data. @FILE: from a file; @-: standard input.")


@click.group(cls=LazyGroup, lazy=_COMMANDS, epilog=_EPILOG)
def event() -> None:
    """See what happened, and what came of it."""


@click.command("list", epilog=_EPILOG)
@project_option
@click.option("--source", metavar="ID", default="", help="Only those of a trigger or a connection.")
@click.option("--type", "event_type", metavar="TYPE", default="", help="Only those of a type.")
@limit_option
@json_option
@with_client
def list_(client: "Client", project: str, source: str, event_type: str, limit: int, as_json: bool) -> None:
    """List events, the newest first."""
    query = EventQuery(project=project, source=source, event_type=event_type)
    show_all(client.events.list(query, limit), as_json, lambda found: render_events(found, project_names(client)))


@click.command(epilog=_EPILOG)
@_event_argument
@json_option
@with_client
def get(client: "Client", which: str, as_json: bool) -> None:
    """Show an event, and why it did or did not start sessions."""
    show(client.events.get(which), as_json, lambda found: render_event(found, project_names(client)))


@click.command(epilog=_EPILOG)
@click.argument("source")
@_type
@_data
@json_option
@with_client
def dispatch(client: "Client", source: str, event_type: str, data: str | None, as_json: bool) -> None:
    """Have an event come from a trigger or a connection.

    SOURCE is PROJECT/TRIGGER, PROJECT/CONNECTION, or the id of either. The data is an object.
    """
    sent = UNSET if data is None else raw(parse_data("--data", data))
    event = client.events.dispatch(DispatchEvent(source=source, event_type=event_type, data=sent))
    show(event, as_json, render_outcome)


@click.command(epilog=_EPILOG)
@_event_argument
@json_option
@with_client
def redispatch(client: "Client", which: str, as_json: bool) -> None:
    """Have an event happen once more.

    That is a new event with the same source, type and data, for the triggers of now.
    """
    show(client.events.redispatch(which), as_json, render_outcome)


@click.command("verify-filter", epilog=_EPILOG)
@click.argument("filter_", metavar="CEL")
@_type
@_data
@json_option
@with_client
def verify_filter(client: "Client", filter_: str, event_type: str, data: str | None, as_json: bool) -> int:
    """Check a filter, and try it on an event.

    The exit code is 0 if the event matches, 1 if not, and 40 if the filter cannot be used.
    """
    sent = UNSET if data is None else raw(parse_data("--data", data))
    verdict = client.events.verify_filter(TryFilter(filter=filter_, event_type=event_type, data=sent))
    show(verdict, as_json, render_verdict_of_filter)
    if verdict.problems:
        return ExitCode.INVALID_ARGUMENT
    return ExitCode.DONE if verdict.matched else ExitCode.FAILED
