"""What `ak run` shows of a session while it runs: for people, or for programs."""

import json
from abc import ABC, abstractmethod
from collections.abc import Sequence

from autokitteh_server.cli.failure_text import describe_failure
from autokitteh_server.cli.terminal import complain, say, warn, write_lines
from autokitteh_server.core.entities import Session
from autokitteh_server.core.states import SessionState
from autokitteh_server.operations.following import News
from autokitteh_server.operations.session_log import LogEntry, entry_to_json, final_entry, mark_replayed


class Output(ABC):
    """Shows one session and its descendants."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @abstractmethod
    def show_earlier(self, news: Sequence[News]) -> None:
        """Take what had happened when this process began."""

    @abstractmethod
    def show(self, news: Sequence[News]) -> None:
        """Show what has happened."""

    @abstractmethod
    def finish(self, session: Session, under_way: Sequence[News]) -> None:
        """Show how the session stands at the end, and what it leaves unfinished."""


class TextOutput(Output):
    """What the code prints on standard output, and nothing else; all other talk on standard error."""

    def show_earlier(self, news: Sequence[News]) -> None:
        pass  # somebody has seen it

    def show(self, news: Sequence[News]) -> None:
        printed: list[str] = []
        for each in news:
            if each.entry.kind == "print" and each.entry.name == "stdout":
                printed.append(each.entry.text)
            else:
                write_lines(printed)  # on a terminal both streams are seen in their order
                printed = []
                self._talk(each)
        write_lines(printed)

    def finish(self, session: Session, under_way: Sequence[News]) -> None:
        if session.state is SessionState.ERROR:
            complain(describe_failure(session.error or ""))

    def _talk(self, news: News) -> None:
        entry = news.entry
        if entry.kind == "print":
            say(entry.text)
        elif entry.kind == "log":
            say(f"{entry.name}: {entry.text}")
        elif entry.kind == "warning":
            warn(entry.text + _where(entry))
        elif news.session_id != self._session.id and entry.kind == "state" and entry.name == SessionState.ERROR:
            warn(f"session {news.session_id}, started by this one, failed: {describe_failure(entry.error)}")


class JsonOutput(Output):
    """The log of the session and its descendants, one JSON object a line; the session's last state last."""

    def show_earlier(self, news: Sequence[News]) -> None:
        # A program wants the whole log. This process gets the results of what is over from the journal.
        entries = [each.entry for each in news]
        entries = mark_replayed(entries) if self._session.durable else entries
        self.show([News(each.session_id, entry) for each, entry in zip(news, entries, strict=True)])

    def show(self, news: Sequence[News]) -> None:
        write_lines([_dump(each.entry, each.session_id) for each in news if not self._is_last(each)])

    def finish(self, session: Session, under_way: Sequence[News]) -> None:
        self.show(under_way)
        write_lines([_dump(final_entry(session), session.id)])
        if session.state is SessionState.ERROR:
            complain(describe_failure(session.error or ""))

    def _is_last(self, news: News) -> bool:
        return news.session_id == self._session.id and news.entry.is_final_state


def _where(entry: LogEntry) -> str:
    file, _, rest = entry.site.partition(":")
    line = rest.partition(":")[0]
    return f" ({file}, line {line})" if line else ""


def _dump(entry: LogEntry, session_id: str) -> str:
    return json.dumps(entry_to_json(entry, session_id), ensure_ascii=False)
