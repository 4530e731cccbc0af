"""`ak trigger`: what starts sessions."""

from typing import TYPE_CHECKING, Any

import click

from autokitteh_server.cli.lazy import Lazy, LazyGroup
from autokitteh_server.cli.moments import local_time
from autokitteh_server.cli.names import NameOf, connection_names, project_names, with_id
from autokitteh_server.cli.server import json_option, limit_option, project_option, show, show_all, with_client
from autokitteh_server.cli.table import render_fields, render_table
from autokitteh_server.cli.terminal import say, write_lines
from autokitteh_server.core.api_types.connections import OfProject
from autokitteh_server.core.api_types.triggers import ChangeTrigger, CreateTrigger, Trigger
from autokitteh_server.core.errors import FailedPrecondition
from autokitteh_server.core.manifest import TriggerType

if TYPE_CHECKING:
    from autokitteh_server.client.client import Client

_HERE = "autokitteh_server.cli.trigger"
_COMMANDS = {
    "list": Lazy(f"{_HERE}:list_", "List triggers, by project and name."),
    "get": Lazy(f"{_HERE}:get", "Show a trigger, with its webhook's URL."),
    "url": Lazy(f"{_HERE}:url", "Print a webhook's URL, and nothing else."),
    "create": Lazy(f"{_HERE}:create", "Make a trigger."),
    "update": Lazy(f"{_HERE}:update", "Change a trigger."),
    "delete": Lazy(f"{_HERE}:delete", "Delete a trigger."),
    "pause": Lazy(f"{_HERE}:pause", "Have a trigger start nothing until it is resumed."),
    "resume": Lazy(f"{_HERE}:resume", "End a trigger's pause."),
}

_EPILOG = """
\b
Examples:
  ak trigger create my_project on_push --type webhook --call program.py:on_push
  ak trigger create my_project nightly --type schedule --schedule '0 3 * * *' --call program.py:on_tick
  ak trigger update my_project/on_push --filter "data.body.json.ref == 'main'"
  ak trigger pause my_project/nightly

TRG is PROJECT/TRIGGER, or a trigger's id. What a manifest declares is as the manifest says again after a deploy.
"""

trigger_argument = click.argument("which", metavar="TRG")

_FIELDS = (
    click.option("--call", metavar="FILE.py:FUNC", help="The function that each event starts."),
    click.option("--event-type", metavar="TYPE", help="Only events of this type matter."),
    click.option("--filter", metavar="CEL", help="Only events that pass it matter: CEL over event_type and data."),
    click.option("--connection", metavar="NAME", help="The connection whose events it gets."),
    click.option("--schedule", metavar="CRON", help="When it ticks: five fields, @daily, @every 10m and so on."),
    click.option("--timezone", metavar="NAME", help="Of the schedule. Default: UTC."),
    click.option("--durable/--no-durable", "is_durable", default=None, help="Whether sessions survive crashes."),
    click.option("--sync/--no-sync", "is_sync", default=None, help="Whether a webhook's sender waits for an outcome."),
    click.option("--overlap/--no-overlap", "allow_overlap", default=None, help="Whether ticks may overlap."),
)


def _fields(command: Any) -> Any:
    for option in reversed(_FIELDS):
        command = option(command)
    return command


@click.group(cls=LazyGroup, lazy=_COMMANDS, epilog=_EPILOG)
def trigger() -> None:
    """Say what starts sessions."""


@click.command("list", epilog=_EPILOG)
@project_option
@limit_option
@json_option
@with_client
def list_(client: "Client", project: str, limit: int, as_json: bool) -> None:
    """List triggers, by project and name."""
    show_all(
        client.triggers.list(OfProject(project=project), limit), as_json, lambda found: _render_list(client, found)
    )


@click.command(epilog=_EPILOG)
@trigger_argument
@json_option
@with_client
def get(client: "Client", which: str, as_json: bool) -> None:
    """Show a trigger, with its webhook's URL."""
    show(client.triggers.get(which), as_json, lambda found: _render(client, found))


@click.command(epilog=_EPILOG)
@trigger_argument
@with_client
def url(client: "Client", which: str) -> None:
    """Print a webhook's URL, and nothing else.

    For other commands: curl $(ak trigger url my_project/on_push)
    """
    trigger = client.triggers.get(which)
    if trigger.webhook_url is None:
        raise FailedPrecondition(f"trigger {which} is a {trigger.type.value}, which has no URL", "Name a webhook.")
    write_lines([trigger.webhook_url])


@click.command(epilog=_EPILOG)
@click.argument("project")
@click.argument("name")
@click.option("--type", "kind", type=click.Choice([kind.value for kind in TriggerType]), required=True)
@_fields
@json_option
@with_client
def create(client: "Client", project: str, name: str, kind: str, as_json: bool, **fields: Any) -> None:
    """Make a trigger.

    Of a webhook the URL is printed, of others the id.
    """
    given = {name: value for name, value in fields.items() if value is not None}
    made = client.triggers.create(CreateTrigger(project=project, name=name, type=TriggerType(kind), **given))
    show(made, as_json, lambda made: [made.webhook_url or made.id])


@click.command(epilog=_EPILOG)
@trigger_argument
@_fields
@json_option
@with_client
def update(client: "Client", which: str, as_json: bool, **fields: Any) -> None:
    """Change a trigger.

    What is not given stays as it is; "" takes something away. The type cannot be changed.
    """
    changes = {name: value for name, value in fields.items() if value is not None}
    if not changes:
        raise click.UsageError("Nothing is to be changed: give an option.")
    show(client.triggers.update(which, ChangeTrigger(**changes)), as_json, lambda changed: _render(client, changed))


@click.command(epilog=_EPILOG)
@trigger_argument
@with_client
def delete(client: "Client", which: str) -> None:
    """Delete a trigger.

    Its events and sessions stay.
    """
    client.triggers.delete(which)
    say(f"Deleted trigger {which}")


@click.command(epilog=_EPILOG)
@trigger_argument
@json_option
@with_client
def pause(client: "Client", which: str, as_json: bool) -> None:
    """Have a trigger start nothing until it is resumed."""
    show(client.triggers.pause(which), as_json, _render_state)


@click.command(epilog=_EPILOG)
@trigger_argument
@json_option
@with_client
def resume(client: "Client", which: str, as_json: bool) -> None:
    """End a trigger's pause.

    The next tick of a schedule is the first one after now.
    """
    show(client.triggers.resume(which), as_json, _render_state)


def _render_list(client: "Client", triggers: list[Trigger]) -> list[str]:
    project_of, connection_of = project_names(client), connection_names(client)
    rows = [
        (
            each.name,
            each.type.value,
            _source(each, connection_of),
            each.call,
            _state(each),
            project_of(each.project_id),
            each.id,
        )
        for each in triggers
    ]
    return render_table(("NAME", "TYPE", "SOURCE", "CALL", "STATE", "PROJECT", "ID"), rows)


def _render(client: "Client", trigger: Trigger) -> list[str]:
    return render_fields(
        {
            "id": trigger.id,
            "name": trigger.name,
            "project": with_id(project_names(client), trigger.project_id),
            "type": trigger.type.value,
            "call": trigger.call,
            "event type": trigger.event_type,
            "filter": trigger.filter,
            "connection": with_id(connection_names(client), trigger.connection_id),
            "url": trigger.webhook_url or "",
            "schedule": trigger.schedule,
            "time zone": trigger.timezone,
            "next tick": local_time(trigger.next_tick_at),
            "last tick": local_time(trigger.last_tick_at),
            "durable": "yes" if trigger.is_durable else "no",
            "sync": "yes" if trigger.is_sync else "",
            "overlap": "yes" if trigger.allow_overlap else "",
            "state": _state(trigger),
            "made by": "manifest" if trigger.is_declared else "hand",
            "created": local_time(trigger.created_at),
            "changed": local_time(trigger.updated_at),
        }
    )


def _render_state(trigger: Trigger) -> list[str]:
    following = f", next tick {local_time(trigger.next_tick_at)}" if trigger.next_tick_at else ""
    return [f"{trigger.name} is {_state(trigger)}{following}"]


def _source(trigger: Trigger, connection_of: NameOf) -> str:
    named = connection_of(trigger.connection_id) if trigger.connection_id else ""
    return trigger.webhook_url or trigger.schedule or named


def _state(trigger: Trigger) -> str:
    return "paused" if trigger.is_paused else "active"
