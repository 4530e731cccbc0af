"""What `ak` ends with. Those from 40 on are HTTP's 4xx without the middle digit."""

from enum import IntEnum


class ExitCode(IntEnum):
    DONE = 0
    FAILED = 1  # the session failed, or was stopped; or an error that none of the others describes
    USAGE = 2  # no such command or option
    INVALID_ARGUMENT = 40
    UNAUTHENTICATED = 41
    FAILED_PRECONDITION = 42  # fine in itself, not possible in the present state
    FORBIDDEN = 43
    NOT_FOUND = 44
    INTERRUPTED = 130  # Ctrl-C, as shells have it: 128 and the signal's number
    BROKEN_PIPE = 141
    TERMINATED = 143
