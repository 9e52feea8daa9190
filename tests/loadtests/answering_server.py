"""A server for the generator's tests: it answers every question, one at a time, after a while."""

from __future__ import annotations

import asyncio
import contextlib
import json
import threading
from collections.abc import Iterator

import uvicorn
from starlette.types import Receive, Scope, Send

_ANSWER = json.dumps({"provenance": "FRESH", "cost_usd": 0.001, "timings_ms": {"total": 7.0}})


class Answering:
    """Takes `seconds` for each request; a stream's first token comes after half of them."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._one = asyncio.Lock()
        self.users: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = dict(scope["headers"])
        self.users.add(headers.get(b"authorization", b"").decode())
        while (await receive()).get("more_body"):
            pass
        async with self._one:
            if b"event-stream" in headers.get(b"accept", b""):
                await self._stream(send)
            else:
                await asyncio.sleep(self._seconds)
                await self._start(send, "application/json")
                await send({"type": "http.response.body", "body": _ANSWER.encode()})

    async def _stream(self, send: Send) -> None:
        await self._start(send, "text/event-stream")
        for event in (
            'event: token\ndata: {"text": "In"}\n\n',
            f"event: answer\ndata: {_ANSWER}\n\n",
        ):
            await asyncio.sleep(self._seconds / 2)
            await send({"type": "http.response.body", "body": event.encode(), "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    async def _start(self, send: Send, kind: str) -> None:
        headers = [(b"content-type", kind.encode()), (b"etag", b'"v1"')]
        await send({"type": "http.response.start", "status": 200, "headers": headers})


@contextlib.contextmanager
def answering(seconds: float) -> Iterator[tuple[str, Answering]]:
    """Its URL, and the application."""
    app = Answering(seconds)
    config = uvicorn.Config(app, port=0, log_level="critical", lifespan="off", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        thread.join(0.01)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}", app
    finally:
        server.should_exit = True
        thread.join()
