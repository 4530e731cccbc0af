"""The engine's whole interface, to those who use it."""

from typing import Protocol


class Scheduler(Protocol):
    """Gives sessions their turns. All methods return at once, may be called from any thread, and are never lost:
    what they announce is in the database already, where the scheduler finds it after a crash.
    """

    def start(self, session_id: str, project_id: str) -> None:
        """A session has been created, or must go on: it shall have a turn."""
        ...

    def wake(self, session_id: str, name: str) -> None:
        """A signal of this name has come into a session's inbox: if it waits for it, it shall have a turn."""
        ...

    def retry(self) -> None:
        """What kept sessions from having turns may be over: they shall try now, and not only when their time comes."""
        ...

    def hold_back(self, is_wanted: bool) -> None:
        """While events pour in few sessions have turns at once: nobody waits for them, but senders wait for replies."""
        ...

    def stop(self, session_id: str, *, force: bool) -> None:
        """A session shall be stopped: after the activity under way, or with `force` at once."""
        ...
