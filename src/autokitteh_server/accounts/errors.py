"""What can go wrong between a connection and the service that gives it tokens.

ServiceUnavailable    no answer that is one: a later attempt may have more luck
TokenRefused          the service has understood, and says no
NotConnected          the connection lacks something that a person has to give it
StaleLink             a link or a way back that was used, is too old, or was never made here
OtherBrowser          the way back is another browser's
Declined              the service has sent the browser back without what it was asked for

No message has a secret: what a service says is masked, and cut.
"""

from typing import ClassVar

from autokitteh_server.core.errors import FailedPrecondition, ServerError

#: Of the errors of OAuth, those that no later attempt can mend: somebody has to.
LASTING = frozenset({"invalid_grant", "invalid_client", "unauthorized_client", "access_denied", "invalid_scope"})


class ServiceUnavailable(ServerError):
    code: ClassVar[str] = "service_unavailable"
    http_status: ClassVar[int] = 502


class TokenRefused(FailedPrecondition):
    code: ClassVar[str] = "token_refused"

    def __init__(self, message: str, remedy: str = "", *, error: str = "") -> None:
        super().__init__(message, remedy)
        self.error = error  # what OAuth calls it: "invalid_grant"

    @property
    def is_lasting(self) -> bool:
        """Whether it is going to be the same until somebody does something about it."""
        return self.error in LASTING


class NotConnected(FailedPrecondition):
    code: ClassVar[str] = "not_connected"


class StaleLink(ServerError):
    code: ClassVar[str] = "stale_link"
    exit_code: ClassVar[int] = 42
    http_status: ClassVar[int] = 400


class OtherBrowser(ServerError):
    code: ClassVar[str] = "other_browser"
    http_status: ClassVar[int] = 403


class Declined(ServerError):
    code: ClassVar[str] = "declined"
    http_status: ClassVar[int] = 400
