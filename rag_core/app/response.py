"""Sending a whole response: two messages, and nothing between the body and the server."""

from __future__ import annotations

import msgspec
from starlette.responses import Response
from starlette.types import Scope, Send

from rag_core.app.headers import Pairs
from rag_core.app.problem import MEDIA_TYPE, problem_headers, problem_of
from rag_core.app.request_context import exchange_of

_JSON = (b"content-type", b"application/json")
_encoder = msgspec.json.Encoder()


async def send_json(send: Send, body: object, *, status: int = 200, headers: Pairs) -> None:
    """Answer with `body` as JSON."""
    await send_bytes(send, _encoder.encode(body), status=status, headers=[_JSON, *headers])


async def send_bytes(send: Send, body: bytes, *, status: int, headers: Pairs) -> None:
    """Answer with `body` as it is."""
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [length, *headers]})
    await send({"type": "http.response.body", "body": body})


async def send_problem(scope: Scope, send: Send, error: BaseException) -> None:
    """Answer with what `error` is over HTTP."""
    exchange = exchange_of(scope)
    problem = problem_of(error, exchange.request_id, exchange.trace)
    exchange.error = problem.code
    headers = [(b"content-type", MEDIA_TYPE), *problem_headers(error, problem)]
    await send_bytes(send, _encoder.encode(problem), status=problem.status, headers=headers)


class Json(Response):
    """A response of Starlette's whose body is anything that msgspec encodes."""

    media_type = "application/json"

    def render(self, content: object) -> bytes:
        """The body."""
        return _encoder.encode(content)
