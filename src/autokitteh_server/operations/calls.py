"""Whether what triggers call is in a build."""

from collections.abc import Iterable

from autokitteh_server.builds.entries import check_entry
from autokitteh_server.builds.source import Source
from autokitteh_server.core.entities import Trigger
from autokitteh_server.core.errors import FailedPrecondition, InvalidArgument
from autokitteh_server.core.names import parse_entry
from autokitteh_server.storage import builds
from autokitteh_server.storage.connection import Connection


def check_calls(conn: Connection, build_id: str, calling: Iterable[Trigger]) -> None:
    """Raises FailedPrecondition with every trigger that calls what the build does not have."""
    called = [trigger for trigger in calling if trigger.call]
    if not called:
        return
    source = Source(name="", files=builds.read_files(conn, build_id), manifest=None, manifest_path=None)
    problems = []
    for trigger in called:
        try:
            check_entry(source, parse_entry(trigger.call))
        except InvalidArgument as error:
            problems.append(f"trigger {trigger.name} calls {error.message}")
    if problems:
        raise FailedPrecondition("\n".join(problems), "Deploy a source that has all of it.")
