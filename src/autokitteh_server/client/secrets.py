"""The keys for secrets, from outside."""

from autokitteh_server.client.transport import Transport
from autokitteh_server.core.api_types.secrets import KeyStatus, Rotate, Rotated


class Secrets:
    """What a server does with the keys for secrets."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def status(self) -> KeyStatus:
        return self._transport.get("/secrets", KeyStatus)

    def rotate(self, wanted: Rotate) -> Rotated:
        """Until every secret is encrypted anew."""
        return self._transport.post("/secrets/rotate", Rotated, wanted)
