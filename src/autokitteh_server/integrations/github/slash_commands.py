"""Slash commands in what people write on GitHub: `/assign bob` at the beginning of a line."""

import re
from collections.abc import Mapping
from typing import Any, Final

from autokitteh_server.integrations.asking import text_at

MAX_COMMANDS: Final = 16

#: Where what people write is, by type of event.
_TEXTS: Final[Mapping[str, tuple[str, str]]] = {
    "issue_comment": ("comment", "body"),
    "pull_request_review_comment": ("comment", "body"),
    "pull_request_review": ("review", "body"),
    "pull_request": ("pull_request", "body"),
    "issues": ("issue", "body"),
    "discussion": ("discussion", "body"),
    "discussion_comment": ("comment", "body"),
    "commit_comment": ("comment", "body"),
}

_FENCE: Final = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")


def commands_in(event_type: str, payload: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The commands in an event: name, args and the line, at most 16."""
    place = _TEXTS.get(event_type)
    return read_commands(text_at(payload, *place)) if place else []


def read_commands(text: str) -> list[dict[str, Any]]:
    """The commands in a text. Fenced blocks are code, and have none."""
    found: list[dict[str, Any]] = []
    fence = ""  # the one that is open
    for line in text.replace("\r\n", "\n").split("\n"):
        if mark := _FENCE.match(line):
            fence = _after(fence, mark[1], mark[2].strip())
        elif not fence and line.startswith("/") and (words := line[1:].split()) and not line[1].isspace():
            found.append({"name": words[0], "args": words[1:], "raw": line.rstrip()})
            if len(found) == MAX_COMMANDS:
                break
    return found


def _after(fence: str, mark: str, rest: str) -> str:
    """The fence that is open after a line with this mark. One is closed by its own kind, as long, and alone."""
    if not fence:
        return mark
    is_end = mark[0] == fence[0] and len(mark) >= len(fence) and not rest
    return "" if is_end else fence
