"""What the HTTP benchmarks run against: a user with notes and a key, the app as it is deployed."""

from __future__ import annotations

import hashlib
import sys
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec
from redis.asyncio import Redis

from evals.bench.http_client import Task
from evals.bench.http_processes import Generator, Server, listening, post
from evals.bench.http_references import ENTRY, USER
from evals.bench.world import QUESTION, notes
from rag_core.access import ApiKey
from rag_core.bootstrap import assemble, open_keys
from rag_core.domain import UserId
from rag_core.embedded import StackUrls, embedded_stack
from rag_core.migrations import migrate
from rag_core.settings import Settings

NOTES = 60
"""Notes of a passage each; chosen."""

PATH = "/assistant/query"
CACHED = b'"provenance":"CACHED"'


@dataclass(frozen=True, slots=True)
class HttpWorld:
    """Servers with one user's notes, and what lets that user in."""

    folder: Path
    urls: StackUrls
    key: str

    @property
    def settings(self) -> dict[str, str]:
        """The environment of the app: as deployed behind a gateway, freshness strict."""
        return {
            "RAG_DATABASE_URL": self.urls.database_url,
            "RAG_REDIS_URL": self.urls.redis_url,
            "RAG_CACHE": "redis",
            "RAG_GENERATOR": "extractive",
            "RAG_METRICS": "prometheus",
            "RAG_RATE_LIMITS": "",
            "RAG_RATE_LIMITS_ALL": "",
            # Patience costs no CPU: a busy machine must not look like a Redis that is away.
            "RAG_REDIS_BUDGET_S": "5",
            "RAG_DATABASE_TIMEOUT_S": "5",
        }

    def ask(self, *headers: str, question: str = QUESTION) -> bytes:
        """The bytes of a request that asks."""
        body = msgspec.json.encode({"question": question})
        return post(PATH, body, f"X-API-Key: {self.key}", *headers)

    def serving(self, **settings: str) -> AbstractAsyncContextManager[Server]:
        """The app, in a process of its own."""
        command = [sys.executable, "-m", "rag_core", "serve", "--port", "{port}"]
        return listening("rag_core", command, self.folder, self.settings | settings)

    def reference(self, name: str) -> AbstractAsyncContextManager[Server]:
        """One of the apps to compare with, in a process of its own."""
        key = hashlib.sha256(self.key.encode()).hexdigest()
        where = [self.urls.database_url, self.urls.redis_url, key]
        module = "evals.bench.http_references"
        command = [sys.executable, "-m", module, name, "{port}", *where]
        return listening(name, command, self.folder)

    async def warm(self, ours: Server, asking: Generator) -> bytes:
        """Ask until the answer is cached; the body of one that was."""
        task = Task(port=ours.port, request=self.ask(), requests=50, marks=(CACHED,))
        measured = await asking.run(task)
        if measured.marked[CACHED.decode()] < task.requests - 1:
            raise RuntimeError(f"answers were not cached: {measured.last!r}")
        return measured.last.partition(b"\r\n\r\n")[2]

    async def give_references(self, answer: bytes) -> None:
        """What the apps to compare with read and give: the body of an answer of ours."""
        async with Redis.from_url(self.urls.redis_url) as redis:
            await redis.set(ENTRY, answer)


@asynccontextmanager
async def http_world(folder: Path) -> AsyncIterator[HttpWorld]:
    """Start the servers in `folder`, and give the user notes and a key."""
    async with embedded_stack(folder) as urls:
        migrate(urls.database_url)
        settings = Settings.model_validate(
            {"database_url": urls.database_url, "redis_url": urls.redis_url, "cache": "redis"}
        )
        key = ApiKey.issue()
        async with open_keys(settings) as keys:
            await keys.add(key, UserId(USER), plan="", name="bench", days=None)
        async with assemble(settings) as application:
            await application.ingest.run(UserId(USER), notes(NOTES))
        yield HttpWorld(folder, urls, key.text)
