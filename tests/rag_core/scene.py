"""The whole application over a real database, with a fake model, generator and clock."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from itertools import repeat
from typing import Any

from rag_core.adapters.generators import ScriptedGenerator, ScriptItem
from rag_core.bootstrap import Application, assemble
from rag_core.clock import Clock, ManualClock
from rag_core.domain import Answer, Generator, Note, Tokenizer, UserId
from rag_core.events import Event, Listener
from rag_core.settings import Settings
from tests.rag_core.library import CountingEmbedder
from tests.servers import chosen

ANSWER = "Grace is a gift [1]."
QUESTION = "What does Paul call grace?"


@dataclass(frozen=True)
class Scene:
    """A running application and what can be seen of it."""

    application: Application
    generator: ScriptedGenerator
    embedder: CountingEmbedder
    clock: ManualClock
    events: list[Event]
    user: UserId

    async def ask(self, question: str = QUESTION, user: UserId | None = None) -> Answer:
        return await self.application.pipeline.answer(question, user or self.user)

    async def store(self, *notes: Note, user: UserId | None = None) -> None:
        await self.application.ingest.run(user or self.user, notes)

    async def delete(self, note_id: str) -> None:
        assert await self.application.notes.delete(self.user, note_id)

    async def stream(self, question: str = QUESTION) -> tuple[list[str], Answer]:
        """The pieces, and the answer that came last."""
        found = [piece async for piece in self.application.pipeline.stream(question, self.user)]
        answer = found.pop()
        assert isinstance(answer, Answer)
        return [str(piece) for piece in found], answer


def settings_for(database_url: str, **changes: Any) -> Settings:
    """Settings with caches in memory that expire to the second."""
    options: dict[str, Any] = {"cache": "memory", "min_score": 0.2, "ttl_jitter": 0.0}
    options |= {"database_prepare": chosen.PREPARE}
    options |= {"rate_limits": (), "rate_limits_all": ()}
    options |= {"chunk_tokens": 60, "chunk_overlap_tokens": 10} | changes
    return Settings(database_url=database_url, **options)


@asynccontextmanager
async def open_scene(
    settings: Settings,
    user: UserId,
    tokenizer: Tokenizer,
    script: Iterable[ScriptItem] = repeat(ANSWER),
    *,
    generator: Generator | None = None,
    embedder: CountingEmbedder | None = None,
    listener: Listener | None = None,
    clock: Clock | None = None,
    latency_s: float = 0.0,
) -> AsyncIterator[Scene]:
    """A scene that is over when the block ends; on a clock that its test moves, if not on `clock`.

    It keeps its events, unless there is a listener.
    """
    manual, events, embedder = ManualClock(), list[Event](), embedder or CountingEmbedder()
    scripted = ScriptedGenerator(script, clock=manual, latency_s=latency_s)
    async with assemble(
        settings,
        embedder=embedder,
        generator=generator or scripted,
        tokenizer=tokenizer,
        clock=clock or manual,
        listener=listener or events.append,
    ) as application:
        yield Scene(application, scripted, embedder, manual, events, user)
