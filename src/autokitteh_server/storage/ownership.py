"""One engine a database: whoever gives turns to its sessions holds it, until the process ends, however it ends.

Two engines on one database would lose nothing, for a claim's epoch fences off the older owner; but they would take
sessions from each other, and each keeps timers and queues of its own.
"""

from typing import Any, Self

from autokitteh_server.core.errors import FailedPrecondition
from autokitteh_server.storage.dialects import parse_url
from autokitteh_server.storage.errors import StorageUnavailable


class Ownership:
    """Held for as long as it is not released."""

    def __init__(self, held: Any, where: str) -> None:
        """Use `take`."""
        self._held = held
        self.where = where

    @classmethod
    def take(cls, url: str) -> Self:
        """Hold the database at a URL, which need not have tables yet.

        Raises FailedPrecondition if another process does, and StorageUnavailable if it cannot be reached.
        """
        parsed, dialect = parse_url(url)
        where = parsed.render_as_string(hide_password=True)
        try:
            held = dialect.hold(parsed)
        except (FailedPrecondition, StorageUnavailable):
            raise
        except Exception as error:
            cause = str(getattr(error, "orig", None) or error).strip()
            raise StorageUnavailable(f"cannot use the database {where}: {cause}", dialect.remedy) from error
        if held is None:
            raise FailedPrecondition(
                f"the database {where} is in use by another server",
                "Stop that one first, or give this one a database of its own (--db).",
            )
        return cls(held, where)

    def release(self) -> None:
        """Let others have it. Twice is fine."""
        held, self._held = self._held, None
        if held is not None:
            held.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.release()
