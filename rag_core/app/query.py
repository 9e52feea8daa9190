"""POST /assistant/query: an answer in one piece, or its text as it comes."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from typing import NamedTuple

import msgspec
from starlette.types import ASGIApp, Receive, Scope, Send

from rag_core.adapters.telemetry import Trace
from rag_core.app.answer_body import encode_answer, server_timing
from rag_core.app.authentication import user_of
from rag_core.app.body import decode_json, read_body
from rag_core.app.departure import Departure
from rag_core.app.event_stream import EventStream, wants_events
from rag_core.app.options import OptionsBody, options_of, own_key
from rag_core.app.response import send_bytes
from rag_core.app.service import Service
from rag_core.app.session_body import checked_session_id, encode_reply
from rag_core.app.shedding import is_question
from rag_core.bootstrap import Answering
from rag_core.conversation import Reply
from rag_core.domain.answer import Answer
from rag_core.domain.options import Options
from rag_core.domain.user import UserId

_JSON = (b"content-type", b"application/json")
_NO_STORE = (b"cache-control", b"no-store")


class Query(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The body of a question; who asks is not in it."""

    question: str
    session: str | None = None
    """Id of a session of the user's: what was asked before is taken into account."""
    options: OptionsBody | None = None
    """How the answer is to be written, where the server takes that."""


_queries = msgspec.json.Decoder(Query)


class QueryRoute:
    """Answers questions; an ASGI application of its own, as every person's request comes by."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._streaming = service.settings.streaming

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one question."""
        query = decode_json(scope, await read_body(receive), _queries)
        options = options_of(scope, query.options)
        with own_key(options.key):
            await self._answer(query, options, scope, receive, send)

    async def _answer(
        self, query: Query, options: Options, scope: Scope, receive: Receive, send: Send
    ) -> None:
        user = user_of(scope)
        trace = self._service.application.trace
        answering = self._service.application.rollout.answering(user, options)
        if query.session is not None:
            answering = _Traced(answering, trace)
            asked = _Asked(query.question, user, checked_session_id(query.session))
            await self._converse(asked, answering, scope, receive, send)
            return
        trace.asked(user, query.question)
        if self._streaming and wants_events(scope):
            async with Departure(receive):
                await _stream(answering.stream(query.question, user), scope, send)
            return
        async with Departure(receive):
            answer = await answering.answer(query.question, user)
        await _send(send, answer.timings_ms, encode_answer(answer))

    async def _converse(
        self, asked: _Asked, answering: Answering, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Answer a question within a session."""
        conversations = self._service.application.conversations
        async with Departure(receive):
            if self._streaming and wants_events(scope):
                await _stream(conversations.stream(answering, *asked), scope, send)
                return
            reply = await conversations.answer(answering, *asked)
        await _send(send, reply.answer.timings_ms, encode_reply(reply))


class Questions:
    """Hands questions to their route at once: they are many, and the router takes its time.

    All else goes on to the router, which has the route too: for its path, asked by other methods.
    """

    def __init__(self, app: ASGIApp, route: ASGIApp) -> None:
        self._app, self._route = app, route

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        await (self._route if is_question(scope) else self._app)(scope, receive, send)


@dataclass(frozen=True, slots=True)
class _Traced:
    """Takes down what is answered: of a follow-up, the question that it became."""

    by: Answering
    trace: Trace

    async def answer(self, question: str, user: UserId) -> Answer:
        self.trace.asked(user, question)
        return await self.by.answer(question, user)

    def stream(self, question: str, user: UserId) -> AsyncGenerator[str | Answer, None]:
        self.trace.asked(user, question)
        return self.by.stream(question, user)


class _Asked(NamedTuple):
    question: str
    user: UserId
    session_id: str


async def _send(send: Send, timings_ms: Mapping[str, float], body: bytes) -> None:
    headers = [_JSON, _NO_STORE, (b"server-timing", server_timing(timings_ms))]
    await send_bytes(send, body, status=200, headers=headers)


async def _stream(
    pieces: AsyncGenerator[str | Answer | Reply, None], scope: Scope, send: Send
) -> None:
    """What fails before the first piece is a problem with a status, as it is without a stream."""
    async with aclosing(pieces):
        first = await anext(pieces)
        async with EventStream(scope, send) as events:
            await _tell(events, first)
            async for piece in pieces:
                await _tell(events, piece)


async def _tell(events: EventStream, piece: str | Answer | Reply) -> None:
    if isinstance(piece, Answer):
        await events.send(b"answer", encode_answer(piece))
    elif isinstance(piece, Reply):
        await events.send(b"answer", encode_reply(piece))
    else:
        await events.send(b"token", msgspec.json.encode({"text": piece}))
