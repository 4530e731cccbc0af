"""The error of a session for people: what went wrong comes first."""


def describe_failure(error: str) -> str:
    """A session's error with what went wrong first, and then the traceback, if there is one."""
    lines = error.splitlines()
    summary = _summary_start(lines)
    return "\n".join([*lines[summary:], *lines[:summary]])


def first_line_of(error: str) -> str:
    """What went wrong, in one line; "" for no error."""
    return describe_failure(error).partition("\n")[0]


def _summary_start(lines: list[str]) -> int:
    """Where, below its last traceback, an error says what it is; 0 without a traceback."""
    headers = [number for number, line in enumerate(lines) if line == "Traceback (most recent call last):"]
    if not headers:
        return 0
    below = range(headers[-1] + 1, len(lines))
    return next((number for number in below if not lines[number].startswith(" ")), 0)
