"""The application as a server calls it, without one: what HTTP itself costs is not in it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import msgspec
from starlette.applications import Starlette

from evals.bench.world import QUESTION, scripted
from rag_core.access import Headers
from rag_core.adapters.embedders import HashingEmbedder
from rag_core.app import Credential, create_app
from rag_core.domain import authenticated
from rag_core.events import ignore
from rag_core.settings import Settings

_BODY = msgspec.json.encode({"question": QUESTION})


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Starlette]:
    """The application of `settings` while it runs; it believes who a request says it is from."""
    app = create_app(
        settings,
        authenticator=_who_says_so,
        embedder=HashingEmbedder(),
        generator=scripted(0.0),
        listener=ignore,
    )
    async with app.router.lifespan_context(app):
        yield app


async def ask(app: Starlette, user: str) -> int:
    """The status of the answer to one question of `user`."""
    statuses = []
    messages = [{"type": "http.request", "body": _BODY, "more_body": False}]

    async def receive() -> dict[str, Any]:
        if not messages:
            await asyncio.Event().wait()  # the client stays
        return messages.pop()

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await app(_scope(user), receive, send)
    return int(statuses[0])


def _scope(user: str) -> dict[str, Any]:
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(_BODY)).encode()),
        (b"x-user", user.encode()),
    ]
    return {
        "type": "http",
        "http_version": "1.1",
        "method": "POST",
        "path": "/assistant/query",
        "raw_path": b"/assistant/query",
        "root_path": "",
        "scheme": "http",
        "query_string": b"",
        "headers": headers,
        "state": {},
    }


async def _who_says_so(headers: Headers) -> Credential:
    return Credential(authenticated(dict(headers.raw)[b"x-user"].decode()))
