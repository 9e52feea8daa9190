"""POST /v1/chat/completions: the planned reply as JSON or as server-sent events."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any

import msgspec
from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from loadtests.stub_provider.calls import Calls
from loadtests.stub_provider.reply import Call, Reply
from loadtests.stub_provider.script import Stage

_JSON, _EVENTS = "application/json", "text/event-stream"


class ChatCompletions:
    """The endpoint, as plain ASGI: it must see the caller leave, and break off its own replies."""

    def __init__(self, stage: Stage, calls: Calls) -> None:
        self._stage, self._calls = stage, calls

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call as the script has it."""
        try:
            body = await Request(scope, receive).body()
        except ClientDisconnect:
            return
        try:
            call = msgspec.json.decode(body, type=Call)
        except msgspec.MsgspecError as error:
            refused = Reply(text="", status=400, body=_encoded({"error": {"message": str(error)}}))
            return await _Sending(Call([]), refused, send, self._calls).whole()
        reply, names = self._stage.plan(call)
        with self._calls.one(names):
            await self._until_left(_Sending(call, reply, send, self._calls), receive)

    async def _until_left(self, sending: _Sending, receive: Receive) -> None:
        """Send until done, or until the caller leaves."""
        sent = asyncio.create_task(sending.all())
        left = asyncio.create_task(_disconnected(receive))
        try:
            await asyncio.wait((sent, left), return_when=asyncio.FIRST_COMPLETED)
            if not sent.done():
                self._calls.left_early += 1
        finally:
            await _cancelled(sent)
            await _cancelled(left)


class _Sending:
    """One reply on its way out."""

    def __init__(self, call: Call, reply: Reply, send: Send, calls: Calls) -> None:
        self._call, self._reply, self._send, self._calls = call, reply, send, calls
        self._pieces = reply.pieces(call.max_tokens)
        self._finish_reason = reply.ended_by(call.max_tokens)

    async def all(self) -> None:
        """The whole reply, at the pace and up to the end that were planned."""
        if self._reply.hangs:
            await asyncio.Event().wait()
        await asyncio.sleep(self._reply.first_token_s)
        if self._call.stream and self._reply.status == 200:
            await self.streamed()
        else:
            await self.whole()

    async def whole(self) -> None:
        """A completion, or an error, in one body; without its size where a stream was asked."""
        body = self._reply.body or _encoded(self._completion())
        if self._reply.status == 200:
            await asyncio.sleep(self._reply.per_token_s * len(self._pieces))
            self._calls.output_tokens += 0 if self._reply.body else len(self._pieces)
        cuts = self._reply.cut_after is not None and self._reply.status == 200
        size = {} if self._call.stream else {"content-length": str(len(body))}
        await self._start(_JSON, size)
        if cuts:
            await self._write(body[: len(body) // 2])
        await self._end(b"" if cuts else body, cuts=cuts)

    async def streamed(self) -> None:
        """Event after event; a piece of text is a token."""
        await self._start(_EVENTS, {})
        if self._reply.events is not None:
            return await self._end(self._reply.events)
        await self._write(_event(self._chunk({"role": "assistant", "content": ""})))
        async for piece in self._paced():
            await self._write(_event(self._chunk({"content": piece})))
            self._calls.output_tokens += 1
        cuts = self._reply.cut_after is not None
        await self._end(b"".join(self._last_events()), cuts=cuts)

    async def _paced(self) -> AsyncIterator[str]:
        for piece in self._pieces[: self._reply.cut_after]:
            await asyncio.sleep(self._reply.per_token_s)
            yield piece

    def _last_events(self) -> Iterator[bytes]:
        if self._reply.refusal:
            yield _event(self._chunk({"refusal": self._reply.refusal}))
        yield _event(self._chunk({}, self._finish_reason))
        if self._call.counts_in_stream:
            yield _event(self._object("chat.completion.chunk", [], usage=self._usage()))
        yield b"data: [DONE]\n\n"

    def _completion(self) -> dict[str, Any]:
        text = None if self._reply.refusal else "".join(self._pieces)
        message = {"role": "assistant", "content": text, "refusal": self._reply.refusal}
        choice = {"index": 0, "message": message, "finish_reason": self._finish_reason}
        return self._object("chat.completion", [choice], usage=self._usage())

    def _chunk(self, delta: dict[str, Any], finish_reason: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": finish_reason}
        return self._object("chat.completion.chunk", [choice])

    def _object(self, kind: str, choices: list[dict[str, Any]], **more: Any) -> dict[str, Any]:
        head = {"id": "chatcmpl-stub", "object": kind, "created": 0, "model": self._call.model}
        return {**head, "choices": choices, **more}

    def _usage(self) -> dict[str, int]:
        sent, written = self._call.tokens, len(self._pieces)
        return {
            "prompt_tokens": sent,
            "completion_tokens": written,
            "total_tokens": sent + written,
        }

    async def _start(self, content_type: str, more: dict[str, str]) -> None:
        headers = {"content-type": content_type, **self._reply.headers, **more}
        raw = [(name.encode(), value.encode()) for name, value in headers.items()]
        status = self._reply.status
        self._calls.begin(status, self._call.tokens)
        await self._send({"type": "http.response.start", "status": status, "headers": raw})

    async def _write(self, body: bytes) -> None:
        await self._send({"type": "http.response.body", "body": body, "more_body": True})

    async def _end(self, body: bytes, *, cuts: bool = False) -> None:
        """End the response with `body`, or leave it without an end.

        Without one, the server closes the connection.
        """
        if cuts:
            self._calls.cut += 1
            return
        await self._send({"type": "http.response.body", "body": body})
        self._calls.answered += 1


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _cancelled(task: asyncio.Task[None]) -> None:
    """End `task`; what it raised, if anything, is raised here."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def _encoded(content: Any) -> bytes:
    return json.dumps(content).encode()


def _event(content: Any) -> bytes:
    return b"data: " + _encoded(content) + b"\n\n"
