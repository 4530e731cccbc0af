"""Server-sent events, pushed as they happen."""

from collections.abc import AsyncIterator, Iterable

from starlette.responses import Response, StreamingResponse

EVENT_STREAM = "text/event-stream"

#: A comment, to keep proxies from ending a connection on which nothing happens.
HEARTBEAT = ": still here\n\n"


class EventStream:
    """A handler's result that is sent piece by piece."""

    def __init__(self, messages: AsyncIterator[str]) -> None:
        self._messages = messages

    def response(self) -> Response:
        # `x-accel-buffering` is what nginx asks for.
        return StreamingResponse(self._messages, media_type=EVENT_STREAM, headers={"x-accel-buffering": "no"})


def message(data: str, *, event: str = "", message_id: int | None = None) -> str:
    """One event. `data` is JSON, which has no line breaks of its own."""
    head = (f"id: {message_id}\n" if message_id is not None else "") + (f"event: {event}\n" if event else "")
    return f"{head}data: {data}\n\n"


async def pieces(messages: Iterable[str]) -> AsyncIterator[str]:
    """Messages that are there already."""
    for each in messages:
        yield each
