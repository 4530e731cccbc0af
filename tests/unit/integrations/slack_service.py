"""A stand-in for Slack's socket mode: it opens sockets, and sends again what was not answered."""

from typing import Any

from aiohttp import WSMsgType, web

from gateways import Changes

APP_TOKEN, BOT_TOKEN = "xapp-1-very-secret", "xoxb-very-secret"


class Slack:
    """Opens sockets, sends envelopes, and sends again what was not answered."""

    def __init__(self, changes: Changes) -> None:
        self.changes = changes
        self.address = ""
        self.error = ""  # what is wrong with the token
        self.is_ill = False  # answers with a page
        self.opens = 0
        self.sockets: list[web.WebSocketResponse] = []
        self.requests: list[web.Request] = []
        self.unanswered: dict[str, dict[str, Any]] = {}
        self.answers: dict[str, dict[str, Any]] = {}
        self.pings = 0
        self.posted: list[tuple[str, Any]] = []
        self.app = web.Application()
        self.app.router.add_post("/api/apps.connections.open", self._open)
        self.app.router.add_get("/link", self._link)
        self.app.router.add_post("/api/actions/{rest}", self._take_post)

    @property
    def base_url(self) -> str:
        return f"{self.address}/api"

    async def _open(self, request: web.Request) -> web.Response:
        self.opens += 1
        self.changes.note()
        if self.is_ill:
            return web.Response(status=503, text="<html>back soon</html>", content_type="text/html")
        if self.error == "ratelimited":
            headers = {"retry-after": "77"}
            return web.json_response({"ok": False, "error": "ratelimited"}, status=429, headers=headers)
        if self.error or request.headers["authorization"] != f"Bearer {APP_TOKEN}":
            return web.json_response({"ok": False, "error": self.error or "invalid_auth"})
        url = self.address.replace("http", "ws") + f"/link?ticket=ticket-{self.opens}"
        return web.json_response({"ok": True, "url": url})

    async def _link(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(autoping=False)
        await socket.prepare(request)
        self.sockets.append(socket)
        self.requests.append(request)
        await socket.send_json({"type": "hello", "num_connections": 1, "connection_info": {"app_id": "A01"}})
        self.changes.note()
        async for message in socket:
            if message.type is WSMsgType.PING:
                self.pings += 1
                await socket.pong(message.data)
            elif message.type is WSMsgType.TEXT:
                answer = message.json()
                self.unanswered.pop(answer["envelope_id"], None)
                self.answers[answer["envelope_id"]] = answer
            self.changes.note()
        self.changes.note()
        return socket

    async def _take_post(self, request: web.Request) -> web.Response:
        self.posted.append((request.path, await request.json()))
        self.changes.note()
        return web.Response(text="ok")

    async def send(self, kind: str, payload: Any, envelope_id: str) -> None:
        envelope = {"type": kind, "envelope_id": envelope_id, "payload": payload, "accepts_response_payload": True}
        self.unanswered[envelope_id] = envelope
        await self.sockets[-1].send_json(envelope)

    async def send_events(self, first: int, last: int) -> None:
        for number in range(first, last):
            await self.send("events_api", event(number), f"env-{number}")

    async def send_again(self) -> None:
        for envelope in list(self.unanswered.values()):
            await self.sockets[-1].send_json({**envelope, "retry_attempt": 1, "retry_reason": "timeout"})

    async def cut_off(self, *, half_a_message: bool = False) -> None:
        """The connection breaks, as it does when a cable is pulled and a router says so."""
        transport = self.requests[-1].transport
        assert transport is not None
        if half_a_message:
            transport.write(b"\x81\x7e\x10\x00" + b'{"type": "events_api"')  # type: ignore[attr-defined]
        transport.abort()  # type: ignore[attr-defined]


def event(number: int, **more: Any) -> dict[str, Any]:
    """An envelope of the Events API, as it is in a socket's envelope."""
    message = {"type": "message", "user": "U07", "text": f"no. {number}", "channel": "C05", "ts": f"{number}.2"}
    return {
        "team_id": "T01",
        "api_app_id": "A01",
        "event": {**message, **more},
        "type": "event_callback",
        "event_id": f"Ev{number}",
        "authorizations": [{"team_id": "T01", "user_id": "U0BOT", "is_bot": True}],
    }
