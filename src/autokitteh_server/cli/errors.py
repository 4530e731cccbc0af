"""What people see of errors, and what the process ends with."""

import os
import traceback

import click

from autokitteh_server.cli.exit_codes import ExitCode
from autokitteh_server.cli.terminal import complain, say
from autokitteh_server.core.errors import ServerError

_REPORT = (
    "This is a bug in autokitteh. Please report it with what you did; AK_DEBUG=1 shows more of it:\n"
    "https://github.com/autokitteh/autokitteh/issues"
)


def show_error(error: BaseException) -> int:
    """Say what went wrong; the exit code."""
    if isinstance(error, click.exceptions.Exit):
        return error.exit_code
    if isinstance(error, KeyboardInterrupt | click.Abort):
        return ExitCode.INTERRUPTED
    if isinstance(error, click.ClickException):
        return _show_usage_error(error)
    if isinstance(error, ServerError) and error.code != "internal":
        complain(str(error))
        return error.exit_code
    complain(f"internal: {type(error).__name__}: {error}")
    say("".join(traceback.format_exception(error)) if os.environ.get("AK_DEBUG") else _REPORT)
    return ExitCode.FAILED


def _show_usage_error(error: click.ClickException) -> int:
    if isinstance(error, click.exceptions.NoArgsIsHelpError):
        say(error.format_message())
        return ExitCode.USAGE
    complain(error.format_message())
    ctx = getattr(error, "ctx", None)
    if ctx is not None:
        say(f"See `{ctx.command_path} --help`.")
    return ExitCode.USAGE
