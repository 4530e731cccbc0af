"""What can go wrong in the store itself. All are ServerErrors; `Fenced`, `NotFound` and the rest come from core.

StorageUnavailable    the database cannot be used now, or it is not known whether a commit reached it
DoubledRecord         a record with this place in the journal is there already: somebody else writes, or we have erred
"""

from typing import ClassVar

from autokitteh_server.core.errors import InternalError, ServerError


class StorageUnavailable(ServerError):
    """Whoever gets this from the writer must assume nothing: claim the session anew and read its journal."""

    code: ClassVar[str] = "storage_unavailable"
    http_status: ClassVar[int] = 503


class DoubledRecord(InternalError):
    """The second guard, behind the fence: the unique key of the journal refused a record."""
