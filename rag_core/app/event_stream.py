"""Server-sent events: the text of an answer as it comes."""

from __future__ import annotations

from types import TracebackType
from typing import Self

import msgspec
from starlette.types import Scope, Send

from rag_core.app.headers import header
from rag_core.app.problem import problem_of
from rag_core.app.request_context import exchange_of
from rag_core.errors import RagError

MEDIA_TYPE = b"text/event-stream"
_HEADERS = [
    (b"content-type", MEDIA_TYPE),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # else nginx hands it on in one piece
]


def wants_events(scope: Scope) -> bool:
    """Whether the request's Accept names server-sent events."""
    return MEDIA_TYPE in header(scope["headers"], b"accept").lower()


class EventStream:
    """A response of events: `async with EventStream(scope, send) as events`.

    An error within the block becomes the last event, `error`; one that rag_core did not raise on
    purpose goes on after that, to be logged. So does a cancellation: the server is stopping, or
    nobody is there any more.
    """

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope, self._send = scope, send

    async def __aenter__(self) -> Self:
        await self._send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool:
        if error is not None:
            await self._tell(error)
        await self._send({"type": "http.response.body", "body": b""})
        return isinstance(error, RagError)

    async def send(self, name: bytes, data: bytes) -> None:
        """Send one event; `data` is JSON, and so has no line ends."""
        body = b"event: %s\ndata: %s\n\n" % (name, data)
        await self._send({"type": "http.response.body", "body": body, "more_body": True})

    async def _tell(self, error: BaseException) -> None:
        exchange = exchange_of(self._scope)
        problem = problem_of(error, exchange.request_id, exchange.trace)
        exchange.error = problem.code
        await self.send(b"error", msgspec.json.encode(problem))
