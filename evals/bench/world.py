"""What the cache benchmarks run against: real servers, hashed vectors, a slow scripted provider."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from evals.datasets.beir import read_collection
from rag_core.adapters.embedders import HashingEmbedder
from rag_core.adapters.generators import ScriptedGenerator
from rag_core.bootstrap import Application, assemble
from rag_core.clock import SystemClock
from rag_core.domain import Context, Note, UserId, WholeNoteChunker, build_context
from rag_core.embedded import OwnValkey, embedded_stack
from rag_core.migrations import migrate
from rag_core.pipeline import Pipeline
from rag_core.settings import Settings

USER = UserId("bench")
QUESTION = "What did I note about the rainbow after the flood and the covenant with Noah?"
_PASSAGES = Path(__file__).parents[2] / "golden/beir/henry-headings"


@dataclass(frozen=True, slots=True)
class Bench:
    """An application over its own servers and one user's notes."""

    application: Application
    generator: ScriptedGenerator
    database_url: str
    redis_url: str

    @property
    def pipeline(self) -> Pipeline:
        """The pipeline under measurement."""
        return self.application.pipeline

    async def edit_elsewhere(self, turn: int) -> None:
        """Change a note that has nothing to do with the question, to page number `turn`."""
        note = Note(id="elsewhere", title="", body=f"Unrelated zebra accounting, page {turn}.")
        await self.application.ingest.run(USER, [note])

    async def context(self) -> Context:
        """The context of the question."""
        ranking = (await self.pipeline.retrieve(QUESTION, USER)).ranking
        return build_context(
            ranking, tokenizer=self.application.tokenizer, max_tokens=1200, min_score=0.1
        )


@asynccontextmanager
async def bench(
    folder: Path, *, chunks: int, latency_s: float = 0.0, cache: str = "redis"
) -> AsyncIterator[Bench]:
    """Start servers in `folder` and give the user `chunks` one-chunk notes of real prose."""
    async with embedded_stack(folder) as urls:
        migrate(urls.database_url)
        settings = bench_settings(urls.database_url, urls.redis_url, cache)
        generator = scripted(latency_s)
        async with assemble(
            settings,
            embedder=HashingEmbedder(),
            generator=generator,
            chunker=WholeNoteChunker(),
        ) as application:
            await application.ingest.run(USER, notes(chunks))
            yield Bench(application, generator, urls.database_url, urls.redis_url)


@asynccontextmanager
async def with_and_without_redis(
    folder: Path, *, chunks: int
) -> AsyncIterator[tuple[OwnValkey, Application, Bench]]:
    """A Valkey to make trouble with, an application on it, a bench over the same notes alone."""
    async with (
        OwnValkey(folder / "own") as valkey,
        bench(folder, chunks=chunks, cache="memory") as world,
        assemble(
            bench_settings(world.database_url, valkey.url),
            embedder=HashingEmbedder(),
            generator=scripted(0.0),
            chunker=WholeNoteChunker(),
        ) as application,
    ):
        yield valkey, application, world


def bench_settings(database_url: str, redis_url: str, cache: str = "redis") -> Settings:
    """Settings for the bench's servers; hashed vectors score lower than a model's."""
    return Settings.model_validate(
        {
            "database_url": database_url,
            "redis_url": redis_url,
            "cache": cache,
            "min_score": 0.1,
            "min_answerability": 0,
        }
    )


def scripted(latency_s: float) -> ScriptedGenerator:
    """A provider that always says the same, `latency_s` later."""
    text = "The rainbow is the sign of the covenant with Noah [1], kept to this day [2]. " * 4
    return ScriptedGenerator(itertools.repeat(text), clock=SystemClock(), latency_s=latency_s)


def notes(count: int) -> list[Note]:
    """`count` notes of one passage each; passages repeat under new ids when they run out."""
    passages = read_collection(_PASSAGES).docs.values()
    texts = itertools.islice(itertools.cycle(passage.text for passage in passages), count)
    return [Note(id=f"n{i}", title="", body=text) for i, text in enumerate(texts)]
