"""The command `ak`: its commands by name, and what becomes of errors. Nothing heavy is imported here."""

from collections.abc import Sequence

import click

from autokitteh_server.cli.errors import show_error
from autokitteh_server.cli.exit_codes import ExitCode
from autokitteh_server.cli.lazy import Lazy, LazyGroup
from autokitteh_server.cli.terminal import OutputClosed, forget_output, prepare_streams

_COMMANDS = {
    "up": Lazy("autokitteh_server.cli.up:up", "Run the server."),
    "deploy": Lazy(
        "autokitteh_server.cli.deploy:deploy",
        "Make a project live: apply its manifest, build its files, activate the build.",
    ),
    "run": Lazy("autokitteh_server.cli.run:run", "Run a project, a .py file or an archive as one session."),
    "session": Lazy("autokitteh_server.cli.session:session", "Look at sessions and their logs, start and stop them."),
    "token": Lazy("autokitteh_server.cli.token:token", "Say who may use the server."),
    "project": Lazy("autokitteh_server.cli.project:project", "Look at projects, make, export and delete them."),
    "manifest": Lazy("autokitteh_server.cli.manifest:manifest", "Check manifests (autokitteh.yaml), and apply them."),
    "trigger": Lazy("autokitteh_server.cli.trigger:trigger", "Say what starts sessions."),
    "connection": Lazy("autokitteh_server.cli.connection:connection", "Look at connections, make and delete them."),
    "integration": Lazy("autokitteh_server.cli.integration:integration", "See what connections can be made to."),
    "var": Lazy("autokitteh_server.cli.var:var", "Say what code finds in its environment."),
    "secrets": Lazy(
        "autokitteh_server.cli.secrets:secrets", "Look at the keys with which secrets are encrypted, and change them."
    ),
    "store": Lazy("autokitteh_server.cli.store:store", "Look at a project's stored values, and change them."),
    "event": Lazy("autokitteh_server.cli.event:event", "See what happened, and what came of it."),
    "build": Lazy("autokitteh_server.cli.build:build", "Look at builds, make and delete them."),
    "deployment": Lazy("autokitteh_server.cli.deployment:deployment", "Say which build of a project is live."),
    "env": Lazy("autokitteh_server.cli.env:env", "Look at the Python environments of projects."),
    "doctor": Lazy("autokitteh_server.cli.doctor:doctor", "See what keeps sessions apart, and why not more."),
    "backup": Lazy("autokitteh_server.cli.backup:backup", "Write everything that a server keeps into a file."),
    "restore": Lazy("autokitteh_server.cli.backup:restore", "Fill an empty data folder and database from a backup."),
    "config": Lazy("autokitteh_server.cli.config:config", "Look at the server's settings, and change them."),
    "version": Lazy("autokitteh_server.cli.version:version", "Show the version."),
}

_EPILOG = """
\b
Examples:
  ak up
  ak deploy examples/hello
  ak run examples/hello
  ak run program.py --event '{"name": "Ann"}'
  ak session log last
  ak manifest validate autokitteh.yaml

\b
Exit codes: 0 done, 1 failed, 2 usage, 40 invalid argument, 41 unauthenticated,
42 failed precondition, 43 forbidden, 44 not found, 130 interrupted.
Environment: NO_COLOR=1 turns colours off, AK_DEBUG=1 shows tracebacks of
internal errors.
"""


@click.group(cls=LazyGroup, lazy=_COMMANDS, epilog=_EPILOG, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    help="Show the version and exit.",
    callback=lambda ctx, _, given: _show_version(ctx) if given else None,
)
def ak() -> None:
    """Workflow automation in plain, durable Python."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command line; what the process is to end with."""
    prepare_streams()
    try:
        return _run(arguments)
    except OutputClosed:
        forget_output()
        return ExitCode.BROKEN_PIPE


def _run(arguments: Sequence[str] | None) -> int:
    try:
        return int(ak.main(arguments, prog_name="ak", standalone_mode=False) or ExitCode.DONE)
    except OutputClosed:
        raise
    except (Exception, KeyboardInterrupt) as error:
        return show_error(error)


def _show_version(ctx: click.Context) -> None:
    # Reading the version looks through the installed packages, which takes longer than all the rest.
    from autokitteh_server.cli.version import version

    ctx.invoke(version)
    ctx.exit()
