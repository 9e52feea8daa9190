"""Workers: pipelines as in processes of their own, each with other settings."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from redis.exceptions import RedisError

from evals.consistency.database import PausingDatabase
from evals.consistency.faults import (
    Fault,
    LateEpochAnswers,
    LateEpochRetriever,
    LaterEpochAnswers,
    OlderReads,
    TrialNotes,
)
from evals.consistency.proxy import CuttingProxy, cutting_proxy
from evals.consistency.world import PATIENCE, EchoGenerator, Pauses, SkewedClock
from rag_core.adapters.embedders import HashingEmbedder
from rag_core.adapters.postgres import PostgresEpochs, PostgresRetriever, open_database
from rag_core.adapters.redis import (
    CONCURRENT_CALLS,
    Driver,
    RedisAnswerCache,
    RedisClient,
    RedisEmbeddingCache,
    RedisFleet,
    open_driver,
)
from rag_core.bootstrap import CacheStores, Parts, wire_pipeline
from rag_core.cache import (
    BelievedEpochs,
    CachedAnswer,
    Epoch,
    EpochSource,
    MemoryAnswerCache,
    MemoryEmbeddingCache,
    NoFleet,
    ReadEpochs,
    SharedEpochs,
)
from rag_core.domain import Retriever, StoredNotes, Tokenizer, UserId, WholeNoteChunker
from rag_core.errors import CacheUnavailable
from rag_core.ingest import Ingest
from rag_core.pipeline import Pipeline
from rag_core.providers import Router
from rag_core.settings import Settings

HOUR_S = 3600.0
"""60 minutes."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSettings:
    """In what workers differ."""

    redis: bool = True
    max_staleness_s: float = 0.0
    soft_s: float = 600.0
    hard_s: float = HOUR_S
    reads: int = 4
    writes: int = 2
    redis_s: float = 0.5
    skew_s: float = 0.0


SETTINGS = (
    WorkerSettings(),
    WorkerSettings(soft_s=60, hard_s=6 * HOUR_S, skew_s=300),
    WorkerSettings(reads=1, writes=1, skew_s=-2 * HOUR_S),
    WorkerSettings(redis_s=0.02, soft_s=30, hard_s=HOUR_S / 2),
    WorkerSettings(max_staleness_s=20),
    WorkerSettings(redis=False, writes=1),
    WorkerSettings(redis=False, soft_s=60, skew_s=24 * HOUR_S),
    WorkerSettings(redis=False, max_staleness_s=5, reads=1),
)


class LossyRedis(RedisClient):
    """A RedisClient that loses requests and replies, pauses, and moves to another server."""

    def __init__(self, url: str, pauses: Pauses, chance: random.Random, *, losses: float) -> None:
        super().__init__(_driver(url))
        self.url = url
        self._pauses = pauses
        self._chance = chance
        self._losses = losses
        self._left: list[Driver] = []

    async def execute(self, *command: Any, **options: Any) -> Any:
        """See `RedisClient`."""
        await self._pauses()
        self._perhaps_lost("the request was lost")
        reply = await super().execute(*command, **options)
        await self._pauses()
        self._perhaps_lost("the reply was lost")
        return reply

    async def move(self, url: str) -> None:
        """Talk to another server from now on."""
        old, self.driver, self.url = self.driver, _driver(url), url
        self._left.append(old)
        with suppress(RedisError, OSError):
            await old.aclose()

    async def aclose(self) -> None:
        """See `RedisClient`; who waited for a connection when one was left may have opened it."""
        await super().aclose()
        for driver in (*self._left, self.driver):
            with suppress(RedisError, OSError):
                await driver.aclose()

    def _perhaps_lost(self, problem: str) -> None:
        if self._chance.random() < self._losses:
            raise CacheUnavailable(problem)


class PausingAnswers(MemoryAnswerCache):
    """Answers in memory, with pauses before they are read and written."""

    def __init__(self, pauses: Pauses, clock: SkewedClock) -> None:
        super().__init__(clock=clock, max_entries=20)
        self._pauses = pauses

    async def get(self, key: str) -> CachedAnswer | None:
        """See `AnswerCache`."""
        await self._pauses()
        return await super().get(key)

    async def put(self, key: str, cached: CachedAnswer) -> None:
        """See `AnswerCache`."""
        await self._pauses()
        await super().put(key, cached)


class SlowEpochs:
    """ReadEpochs that often takes so long that a note changes meanwhile."""

    def __init__(self, read: ReadEpochs, pauses: Pauses) -> None:
        self._read = read
        self._pauses = pauses

    async def __call__(self, users: Collection[UserId]) -> Mapping[UserId, Epoch]:
        """See `ReadEpochs`."""
        token = PATIENCE.set(5.0)
        try:
            await self._pauses()
            found = await self._read(users)
            await self._pauses()
            return found
        finally:
            PATIENCE.reset(token)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What all workers share."""

    database_url: str
    redis_url: str
    folder: Path
    chance: random.Random
    pauses: Pauses
    tick: Callable[[], int]
    tokenizer: Tokenizer
    fault: Fault


@dataclass(frozen=True, slots=True)
class Worker:
    """One process, as far as Postgres and Redis can tell."""

    settings: WorkerSettings
    clock: SkewedClock
    pipeline: Pipeline
    proxy: CuttingProxy
    redis: LossyRedis | None
    _database: PausingDatabase
    _around: Surroundings

    def notes(self, seen: Callable[[StoredNotes], None] = lambda library: None) -> TrialNotes:
        """Its store; `seen` is told what an ingest saw."""
        compares = self._around.fault is not Fault.COMPARE_AND_SET
        return TrialNotes(self._database, self._around.pauses, seen=seen, compares=compares)

    def ingest(self, seen: Callable[[StoredNotes], None]) -> Ingest:
        """Its way of writing notes."""
        return Ingest(
            store=self.notes(seen), embedder=HashingEmbedder(), chunker=WholeNoteChunker()
        )


@asynccontextmanager
async def hire(settings: WorkerSettings, around: Surroundings) -> AsyncIterator[Worker]:
    """A worker at work; its Redis is the one that was primary at the start."""
    clock = SkewedClock(around.tick, skew_s=settings.skew_s)
    async with AsyncExitStack() as stack:
        url, proxy = await stack.enter_async_context(
            cutting_proxy(around.database_url, around.folder)
        )
        database = await stack.enter_async_context(
            open_database(
                url,
                read_connections=settings.reads,
                write_connections=settings.writes,
                read_timeout_s=1.0,
                write_timeout_s=2.0,
            )
        )
        pausing = PausingDatabase(database, around.pauses)
        redis = None
        if settings.redis:
            redis = LossyRedis(around.redis_url, around.pauses, around.chance, losses=0.005)
            stack.push_async_callback(redis.aclose)
        reading = await stack.enter_async_context(PostgresEpochs(database).connected())
        pipeline = _pipeline(settings, around, clock, pausing, reading, redis)
        yield Worker(settings, clock, pipeline, proxy, redis, pausing, around)


def _pipeline(
    given: WorkerSettings,
    around: Surroundings,
    clock: SkewedClock,
    database: PausingDatabase,
    reading: ReadEpochs,
    redis: LossyRedis | None,
) -> Pipeline:
    embedder = HashingEmbedder()
    epochs = _epochs(SlowEpochs(reading, around.pauses), given, clock, around.fault)
    retriever: Retriever = PostgresRetriever(database, embedder_digest=embedder.digest)
    stores = _stores(around, clock, redis)
    if around.fault is Fault.LATE_EPOCH:
        retriever = LateEpochRetriever(retriever, epochs)
        stores = replace(stores, answers=LateEpochAnswers(stores.answers))
    elif around.fault is Fault.LATER_EPOCH_STORED:
        stores = replace(stores, answers=LaterEpochAnswers(stores.answers, epochs))
    settings = Settings(
        top_k=2,
        min_score=0.35,
        answer_soft_ttl_s=given.soft_s,
        answer_hard_ttl_s=given.hard_s,
        context_cache_bytes=200_000,
        # On clocks that leap ahead nearly every request would come to its deadline.
        request_timeout_s=1e9,
        redis_budget_s=given.redis_s,
    )
    parts = Parts(
        tokenizer=around.tokenizer,
        embedder=embedder,
        retriever=retriever,
        router=Router.alone(EchoGenerator(around.pauses, around.chance, outages=0.2)),
        stores=stores,
        epochs=epochs,
        clock=clock,
        jitter=around.chance,
    )
    return wire_pipeline(settings, parts)[0]


def _epochs(
    read: ReadEpochs, settings: WorkerSettings, clock: SkewedClock, fault: Fault
) -> EpochSource:
    source: EpochSource = OlderReads(read) if fault is Fault.OLDER_READ else SharedEpochs(read)
    if not settings.max_staleness_s:
        return source
    factor = 2 if fault is Fault.BELIEVED_TOO_LONG else 1
    return BelievedEpochs(source, clock=clock, max_staleness_s=factor * settings.max_staleness_s)


def _stores(around: Surroundings, clock: SkewedClock, redis: LossyRedis | None) -> CacheStores:
    if redis is None:
        return CacheStores(PausingAnswers(around.pauses, clock), MemoryEmbeddingCache(), NoFleet())
    return CacheStores(
        RedisAnswerCache(redis, clock=clock),
        RedisEmbeddingCache(redis),
        RedisFleet(redis, lease_s=0.3),
    )


def _driver(url: str) -> Any:
    return open_driver(url, max_connections=CONCURRENT_CALLS)
