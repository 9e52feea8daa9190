"""A real server, a real browser, and visitors who sign in as somebody new."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import httpx
import jwt
import pytest_asyncio
from playwright.async_api import Browser

from evals.bench.browser import browsing
from rag_core.domain import UserId, authenticated
from rag_core.embedded import StackUrls
from tests.rag_core.app.page.visitor import Visitor
from tests.rag_core.app.server_process import SECRET, serving

together = {"scope": "session", "loop_scope": "session"}


@dataclass(frozen=True)
class Site:
    """The server, and keys of people whom it has never seen."""

    url: str

    def key(self, name: str) -> str:
        """A bearer token, which the page takes as it takes an API key."""
        claims = {"sub": f"{name}-{uuid4().hex[:12]}", "aud": "tests", "exp": time.time() + 3600}
        return jwt.encode(claims, SECRET)

    def user_of(self, key: str) -> UserId:
        """Whose key it is."""
        claims = jwt.decode(key, SECRET, algorithms=["HS256"], audience="tests")
        return authenticated(claims["sub"])

    async def put(self, key: str, note_id: str, title: str, body: str) -> None:
        """Store a note of whoever has the key."""
        async with httpx.AsyncClient(base_url=self.url, timeout=60) as client:
            put = await client.put(
                f"/notes/{note_id}",
                json={"title": title, "body": body},
                headers={"authorization": f"Bearer {key}"},
            )
        put.raise_for_status()


@pytest_asyncio.fixture(**together)
async def site(database_url: str, stack: StackUrls, exported_model: Path) -> AsyncIterator[Site]:
    variables = {"RAG_DATABASE_URL": database_url, "RAG_REDIS_URL": stack.redis_url}
    variables["RAG_REDIS_BUDGET_S"] = "5"  # a busy machine must not look like a Redis that is away
    with TemporaryDirectory(prefix="page-") as folder:
        async with serving(Path(folder), exported_model, variables) as server:
            yield Site(str(server.client.base_url).rstrip("/"))


@pytest_asyncio.fixture(**together)
async def browser() -> AsyncIterator[Browser]:
    async with browsing() as browser:
        yield browser


Visit = Callable[..., Awaitable[Visitor]]
"""Opens a tab with storage of its own; its options are those of `Browser.new_context`."""


@asynccontextmanager
async def visits(browser: Browser, url: str) -> AsyncIterator[Visit]:
    """Where a visitor's browser complains, or asks elsewhere, the test fails."""
    visitors = []

    async def visit(**options: object) -> Visitor:
        context = await browser.new_context(**options)  # type: ignore[arg-type]
        visitors.append(Visitor(await context.new_page(), url))
        return visitors[-1]

    yield visit
    for each in visitors:
        await each.page.context.close()
    assert [each.complaints for each in visitors if each.complaints] == []
    assert [each.elsewhere for each in visitors if each.elsewhere] == []


@pytest_asyncio.fixture(loop_scope="session")
async def visit(browser: Browser, site: Site) -> AsyncIterator[Visit]:
    async with visits(browser, site.url) as visit:
        yield visit
