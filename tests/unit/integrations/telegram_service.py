"""A stand-in for Telegram, which keeps updates until they are posted or confirmed."""

import threading
from dataclasses import dataclass, field
from typing import Any

from autokitteh_server.integrations.telegram.webhook import WEBHOOK
from autokitteh_server.integrations.webhook import Found, Refused, recipients
from deliveries import request, take
from unit.integrations.feeds import Answer, Asked, Connection, path_of

TOKEN = "7000:token-that-nobody-may-see"


@dataclass
class Telegram:
    """A bot at Telegram."""

    updates: list[dict[str, Any]] = field(default_factory=list)  # that are neither posted nor confirmed
    webhook: dict[str, Any] | None = None
    next_id: int = 1
    is_asked_by_others: bool = False
    loses: int = 0  # so many of its next answers
    calls: list[str] = field(default_factory=list)
    asked: list[Asked] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)  # told after each call

    def happens(self, kind: str = "message") -> int:
        """Something happens in a chat."""
        self.updates.append({"update_id": self.next_id, kind: {"text": str(self.next_id)}})
        self.next_id += 1
        return self.next_id - 1

    def answer(self, asked: Asked) -> Answer:
        """As the Bot API does."""
        _, bot, method = asked.path.split("/")
        self.calls.append(method)
        self.asked.append(asked)
        if bot != f"bot{TOKEN}":
            return 401, {"ok": False, "error_code": 401, "description": "Unauthorized"}
        with self.changed:
            found = getattr(self, f"on_{method}")(asked.json)
            self.changed.notify_all()
        if self.loses:
            self.loses -= 1
            return 0, None
        if isinstance(found, tuple):
            return found[0], {"ok": False, "error_code": found[0], "description": found[1]}
        return 200, {"ok": True, "result": found}

    def on_setWebhook(self, options: dict[str, Any]) -> Any:
        if not options["url"].startswith("https://"):
            return 400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook"
        self.webhook = options
        return True

    def on_deleteWebhook(self, options: dict[str, Any]) -> Any:
        self.webhook = None
        if options.get("drop_pending_updates"):
            self.updates = []
        return True

    def on_getWebhookInfo(self, options: dict[str, Any]) -> Any:
        return {"url": self.webhook["url"] if self.webhook else ""}

    def on_getUpdates(self, options: dict[str, Any]) -> Any:
        if self.webhook is not None:
            return 409, "Conflict: can't use getUpdates method while webhook is active"
        if self.is_asked_by_others:
            return 409, "Conflict: terminated by other getUpdates request"
        offset = options.get("offset", 0)
        self.updates = [each for each in self.updates if each["update_id"] >= offset]
        return self.updates[: options["limit"]]

    def post(self, connection: Connection) -> list[Found]:
        """Post what there is; what is refused stays."""
        assert self.webhook is not None
        path = path_of(self.webhook["url"], "telegram")
        got: list[Found] = []
        for update in list(self.updates):
            call = request(path, update, {"x-telegram-bot-api-secret-token": self.webhook["secret_token"]})
            try:
                received = take(WEBHOOK, call, *connection.secrets_for(WEBHOOK, path))
            except Refused:
                break
            known = {connection.id: connection.variables}
            for event in received.events:
                assert recipients(WEBHOOK, call, event, received.proof, known) == (connection.id,)
            got += received.events
            self.updates.remove(update)
        return got
