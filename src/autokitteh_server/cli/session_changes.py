"""`ak session start|watch|stop|restart|delete`."""

from typing import TYPE_CHECKING

import click

from autokitteh_server.cli.exit_codes import ExitCode
from autokitteh_server.cli.options import parse_data, parse_pairs
from autokitteh_server.cli.server import dump, json_option, show, with_client
from autokitteh_server.cli.session import which_argument
from autokitteh_server.cli.terminal import complain, say, write_lines
from autokitteh_server.core.states import SessionState

if TYPE_CHECKING:
    from autokitteh_server.client.client import Client
    from autokitteh_server.core.api_types.sessions import Session

session_argument = click.argument("session_id", metavar="SES")


@click.command()
@click.argument("project")
@click.option("--entry", metavar="FILE.py:FUNC", required=True, help="The function to run.")
@click.option("--data", metavar="JSON|@FILE", help="The event's data. @FILE: from a file; @-: from standard input.")
@click.option("--memo", metavar="NAME=VALUE", multiple=True, help="A note to find the session by.")
@click.option("--durable/--no-durable", default=None, help="Default: as triggers that call it; else durable.")
@click.option("--watch", "is_watched", is_flag=True, help="Follow its log, and end with it.")
@json_option
@with_client
def start(
    client: "Client",
    project: str,
    entry: str,
    data: str | None,
    memo: tuple[str, ...],
    durable: bool | None,
    is_watched: bool,
    as_json: bool,
) -> int:
    """Start a session by hand.

    It runs the code of PROJECT that is deployed. Its id is printed. With --watch the exit code is 0 if it completes,
    and otherwise 1.
    """
    from msgspec import UNSET  # with the client, which takes its time to import

    from autokitteh_server.core.api_types.sessions import StartSession
    from autokitteh_server.core.api_types.values import raw

    wanted = StartSession(
        project=project,
        entry=entry,
        data=UNSET if data is None else raw(parse_data("--data", data)),
        memo=parse_pairs("--memo", memo),
        durable=durable,
    )
    session = client.sessions.start(wanted)
    if not is_watched:
        show(session, as_json, lambda session: [session.id])
        return ExitCode.DONE
    if not as_json:
        say(f"Session {session.id}")
    return _watch(client, session.id, as_json)


@click.command()
@which_argument
@json_option
@with_client
def watch(client: "Client", which: str, as_json: bool) -> int:
    """Follow a session's log until it is over.

    The exit code is 0 if it completes, and otherwise 1.
    """
    return _watch(client, which, as_json)


@click.command()
@session_argument
@click.option("--force", is_flag=True, help="At once, not after the activity under way.")
@json_option
@with_client
def stop(client: "Client", session_id: str, force: bool, as_json: bool) -> None:
    """Stop a session."""
    show(client.sessions.stop(session_id, force=force), as_json, _render_state)


@click.command()
@session_argument
@json_option
@with_client
def restart(client: "Client", session_id: str, as_json: bool) -> None:
    """Start a session again, from its beginning.

    That is a new session with its entry, event and memo, on the code that is deployed now. Its id is printed.
    """
    show(client.sessions.restart(session_id), as_json, lambda session: [session.id])


@click.command()
@session_argument
@with_client
def delete(client: "Client", session_id: str) -> None:
    """Delete a session that is over.

    Its log is deleted with it.
    """
    client.sessions.delete(session_id)
    say(f"Deleted session {session_id}")


def _render_state(session: "Session") -> list[str]:
    return [f"{session.id}  {session.state}"]


def _watch(client: "Client", which: str, as_json: bool) -> int:
    from autokitteh_server.cli.failure_text import describe_failure
    from autokitteh_server.cli.log_text import render_line  # as above
    from autokitteh_server.core.api_types.session_log import LogLine

    for each in client.sessions.log(which, follow=True):
        if isinstance(each, LogLine):
            write_lines([dump(each) if as_json else render_line(each)])
        elif each.state is SessionState.COMPLETED:
            return ExitCode.DONE
        else:
            complain(describe_failure(each.error or "") if each.state is SessionState.ERROR else "it was stopped")
            return ExitCode.FAILED
    complain("the server has ended; a session that is not over goes on when it is started again")
    return ExitCode.FAILED
