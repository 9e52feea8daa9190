"""The application behind a real HTTP server, with a client for each of its users."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import httpx
import uvicorn
from starlette.datastructures import Headers
from starlette.types import ASGIApp

from rag_core.adapters.generators import ScriptedGenerator, ScriptItem
from rag_core.app import Credential, Read, create_app
from rag_core.app.protocol import LimitedProtocol
from rag_core.bootstrap import Overrides
from rag_core.clock import ManualClock
from rag_core.domain import Embedder, Generator, Note, Tokenizer, UserId, authenticated
from rag_core.events import Event
from rag_core.settings import Settings
from tests.rag_core.embedded.processes import eventually
from tests.rag_core.library import CountingEmbedder
from tests.rag_core.scene import ANSWER

USER_HEADER = "x-test-user"
PLAN_HEADER = "x-test-plan"
EVENTS = {"accept": "text/event-stream"}
_NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
"""Servers here speak plain HTTP: httpx need not read certificates for each client."""


async def who_says_so(headers: Headers) -> Credential:
    """Believes whatever the request says; real credentials have tests of their own."""
    return Credential(authenticated(headers.get(USER_HEADER)), headers.get(PLAN_HEADER, ""))


@dataclass(frozen=True)
class Served:
    """A running application, and what can be seen of it."""

    url: str
    client: httpx.AsyncClient
    events: list[Event]
    clock: ManualClock
    server: uvicorn.Server

    def told(self, kind: type[Event]) -> list[Any]:
        """The events of that kind."""
        return [event for event in self.events if isinstance(event, kind)]

    async def ask(self, question: str, **headers: str) -> httpx.Response:
        return await self.client.post(
            "/assistant/query", json={"question": question}, headers=headers
        )

    async def put(self, note: Note, **headers: str) -> httpx.Response:
        body = {"title": note.title, "body": note.body}
        return await self.client.put(f"/notes/{note.id}", json=body, headers=headers)


@asynccontextmanager
async def running(app: ASGIApp, **options: Any) -> AsyncIterator[tuple[uvicorn.Server, str]]:
    """A server of `app` on a port of its own, and its URL."""
    listener = socket.create_server(("127.0.0.1", 0))
    config = uvicorn.Config(
        app, http=LimitedProtocol, lifespan="on", ws="none", log_level="critical", **options
    )
    server = uvicorn.Server(config)
    serving = asyncio.create_task(server.serve(sockets=[listener]))
    await eventually(lambda: server.started or serving.done())
    try:
        yield server, "http://{}:{}".format(*listener.getsockname())
    finally:
        server.should_exit = True
        await serving


@asynccontextmanager
async def open_served(
    settings: Settings,
    user: UserId,
    tokenizer: Tokenizer,
    script: Iterable[ScriptItem] = repeat(ANSWER),
    *,
    generator: Generator | None = None,
    read: Read | None = None,
    embedder: Embedder | None = None,
    providers: Sequence[Generator] | None = None,
) -> AsyncIterator[Served]:
    """The application on a clock that its test moves; the client is `user`'s."""
    clock, events = ManualClock(), list[Event]()
    writers: Overrides = {"generator": generator or ScriptedGenerator(script, clock=clock)}
    if providers is not None:
        writers = {"providers": providers}
    app = create_app(
        settings,
        authenticator=who_says_so,
        read=read,
        embedder=embedder or CountingEmbedder(),
        **writers,
        tokenizer=tokenizer,
        clock=clock,
        listener=events.append,
    )
    async with (
        running(app) as (server, url),
        httpx.AsyncClient(
            base_url=url, headers={USER_HEADER: user}, timeout=30, verify=_NO_TLS
        ) as client,
    ):
        yield Served(url, client, events, clock, server)
