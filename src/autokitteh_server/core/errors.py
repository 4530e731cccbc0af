"""Errors for people: what happened, where, and what to do about it.

ServerError
├── InvalidArgument       something given is not usable
│   └── WrongType         ... because it is of another kind than is asked for
├── Unauthenticated       it is not known who asks
├── Forbidden             it is known who asks, and that one may not
├── FailedPrecondition    fine in itself, not possible in the present state
├── NotFound
├── Fenced                another owner has taken the session over (never shown to people)
└── InternalError         our own mistake; please report it

Each has a code for programs, what `ak` exits with, and the status that the HTTP API answers with.
"""

from typing import ClassVar


class ServerError(Exception):
    """Base of all. `remedy` is a sentence that says how to mend it, and may be empty."""

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1
    http_status: ClassVar[int] = 500

    def __init__(self, message: str, remedy: str = "") -> None:
        super().__init__(message, remedy)
        self.message = message
        self.remedy = remedy

    def __str__(self) -> str:
        return f"{self.message}\n{self.remedy}" if self.remedy else self.message


class InvalidArgument(ServerError):
    code = "invalid_argument"
    exit_code = 40
    http_status = 400


class WrongType(InvalidArgument):
    pass


class Unauthenticated(ServerError):
    code = "unauthenticated"
    exit_code = 41
    http_status = 401


class Forbidden(ServerError):
    code = "forbidden"
    exit_code = 43
    http_status = 403


class FailedPrecondition(ServerError):
    code = "failed_precondition"
    exit_code = 42
    http_status = 409


class NotFound(ServerError):
    code = "not_found"
    exit_code = 44
    http_status = 404


class Fenced(ServerError):
    code = "fenced"
    http_status = 409


class InternalError(ServerError):
    code = "internal"
