"""The body of a request: not larger, and not longer on its way, than the settings allow."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TypeVar

import msgspec
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag_core.app.headers import header
from rag_core.app.request_context import ClientGone
from rag_core.errors import InvalidInput
from rag_core.guard.deadline import PatientTimeout

T = TypeVar("T")


class BodyLimits:
    """Refuses a body that is too large or too slow, before it is held in memory.

    Args:
        most_bytes: of a whole body.
        timeout_s: seconds by which it must have come, from when it is first asked for.
        most_bytes_below: bytes of a body instead, by the path that its own begins with.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        most_bytes: int,
        timeout_s: float,
        most_bytes_below: Mapping[str, int],
    ) -> None:
        self._app, self._most_bytes, self._timeout_s = app, most_bytes, timeout_s
        self._below = tuple(most_bytes_below.items())

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if scope["type"] == "http":
            most_bytes = self._of(scope["path"])
            given = header(scope["headers"], b"content-length")
            if given.isdigit() and int(given) > most_bytes:
                raise too_large(most_bytes)
            receive = LimitedBody(receive, most_bytes, self._timeout_s).receive
        await self._app(scope, receive, send)

    def _of(self, path: str) -> int:
        return next((n for start, n in self._below if path.startswith(start)), self._most_bytes)


class LimitedBody:
    """Receives a body within its limits; what comes after it, without."""

    __slots__ = ("_ended", "_left_bytes", "_most_bytes", "_receive", "_timeout_s", "_until")

    def __init__(self, receive: Receive, most_bytes: int, timeout_s: float) -> None:
        self._receive, self._most_bytes, self._timeout_s = receive, most_bytes, timeout_s
        self._left_bytes = most_bytes
        self._until: float | None = None
        self._ended = False

    async def receive(self) -> Message:
        """The next message.

        Raises:
            HTTPException: 413, too large; 408, too slow.
        """
        if self._ended:
            return await self._receive()
        loop = asyncio.get_running_loop()
        if self._until is None:
            self._until = loop.time() + self._timeout_s
        try:
            async with PatientTimeout(self._until - loop.time()):
                message = await self._receive()
        except TimeoutError:
            detail = f"The body had not come after {self._timeout_s:g} s."
            raise HTTPException(408, detail, {"Connection": "close"}) from None
        self._left_bytes -= len(message.get("body", b""))
        if self._left_bytes < 0:
            raise too_large(self._most_bytes)
        self._ended = not message.get("more_body", False)
        return message


def too_large(most_bytes: int) -> HTTPException:
    """What is raised where a body is too large; the rest of it is dropped as it comes."""
    return HTTPException(413, f"The body may have {most_bytes:,} bytes.")


async def read_body(receive: Receive) -> bytes:
    """The whole body of a request.

    Raises:
        ClientGone: it ends before its end.
    """
    parts = []
    more = True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        parts.append(message.get("body", b""))
        more = message.get("more_body", False)
    return parts[0] if len(parts) == 1 else b"".join(parts)


def decode_json(scope: Scope, body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """The body as what the decoder wants.

    Raises:
        HTTPException: 415, it does not call itself JSON; 400, it is none.
        InvalidInput: it is JSON of another form.
    """
    kind = header(scope["headers"], b"content-type")
    if kind and kind.partition(b";")[0].strip().lower() != b"application/json":
        raise HTTPException(415, "Send it as application/json.")
    try:
        return decoder.decode(body)
    except msgspec.ValidationError as error:
        problem, _, place = str(error).partition(" - at ")
        raise InvalidInput(place.strip("`$.") or "body", problem, "See /openapi.json") from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise HTTPException(400, f"The body is no JSON: {error}") from None
