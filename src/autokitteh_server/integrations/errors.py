"""What goes wrong at services, and whether it helps to ask again."""

from enum import StrEnum


class Intent(StrEnum):
    """What is to be done about a failure."""

    TERMINAL = "terminal"  # somebody has to mend something
    RETRY = "retry"  # it may work later
    OURS = "ours"  # we asked for something that does not exist, or do not understand the answer


class ServiceError(Exception):
    """A service did not do what it was asked.

    The message is without a subject, which is the service: "does not accept the credentials". It has no URL in it, nor
    anything else that we sent; of what the service says only what `asking.detail_of` finds.
    """

    def __init__(
        self,
        message: str,
        remedy: str = "",
        *,
        intent: Intent = Intent.TERMINAL,
        retry_after_s: float | None = None,
        status: int = 0,
    ) -> None:
        super().__init__(message, remedy)
        self.message = message
        self.remedy = remedy
        self.intent = intent
        self.retry_after_s = retry_after_s  # that the service asks for; None: it does not say
        self.status = status  # of the answer; 0: there was none, or it does not matter
