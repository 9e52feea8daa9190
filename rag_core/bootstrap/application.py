"""Wiring: the one place that sees settings, adapters and the pipeline together."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TypedDict, Unpack

from rag_core import events
from rag_core.adapters.embedders import load_embedder
from rag_core.adapters.llama_tokenizer import LlamaTokenizer
from rag_core.adapters.postgres.database import Database, open_database
from rag_core.adapters.postgres.epochs import PostgresEpochs
from rag_core.adapters.postgres.feedback import PostgresFeedback
from rag_core.adapters.postgres.imports import PostgresImports
from rag_core.adapters.postgres.notes import PostgresNotes
from rag_core.adapters.postgres.search import PostgresRetriever
from rag_core.adapters.postgres.vectors import PostgresVectors
from rag_core.adapters.telemetry import LogListener, Trace
from rag_core.bootstrap.caches import cache_stores
from rag_core.bootstrap.conversations import session_store, wire_conversations
from rag_core.bootstrap.cores import own_cores
from rag_core.bootstrap.documents import DocumentReading, document_store
from rag_core.bootstrap.foundation import Foundation, Purse
from rag_core.bootstrap.guards import postgres_breaker
from rag_core.bootstrap.readiness import Readiness
from rag_core.bootstrap.rollout import Rollout, open_rollout
from rag_core.bootstrap.servers import servers
from rag_core.bootstrap.throttle import Throttle
from rag_core.bootstrap.trace import TracedNotes, open_trace
from rag_core.cache.caches import Caches
from rag_core.cache.epochs import EpochSource
from rag_core.cache.token_counts import RememberedCounts
from rag_core.clock import Clock, SystemClock
from rag_core.conversation import Conversations
from rag_core.documents import Documents
from rag_core.domain.chunks import Chunker, SentenceChunker
from rag_core.domain.completion import Generator
from rag_core.domain.feedback import FeedbackStore
from rag_core.domain.ranking import Embedder
from rag_core.domain.tokens import Tokenizer
from rag_core.imports import Imports
from rag_core.ingest import Ingest
from rag_core.pipeline import Pipeline
from rag_core.purge import Purge
from rag_core.settings import Settings
from rag_core.throttle.concurrency import Concurrency
from rag_core.throttle.rate_limiter import RateLimiter


class Overrides(TypedDict, total=False):
    """Parts that a test, an eval or an embedding application brings itself.

    `generator` alone writes the answers, without guard or ladder; `providers` take the place of
    those that the settings name.
    """

    embedder: Embedder
    generator: Generator
    providers: Sequence[Generator]
    chunker: Chunker
    tokenizer: Tokenizer
    clock: Clock
    listener: events.Listener
    canary: str


@dataclass(frozen=True, slots=True)
class Application:
    """Everything that runs against one set of servers."""

    pipeline: Pipeline
    caches: Caches
    ingest: Ingest
    purge: Purge
    notes: PostgresNotes
    epochs: EpochSource
    retriever: PostgresRetriever
    embedder: Embedder
    tokenizer: Tokenizer
    listener: events.Listener
    rollout: Rollout
    """Who is answered by which pipeline: `pipeline` itself, or a canary."""
    limiter: RateLimiter
    places: Concurrency
    """For what is under way in this process."""
    database: Database
    imports: Imports
    conversations: Conversations
    feedback: FeedbackStore
    documents: Documents
    reading: DocumentReading
    readiness: Readiness
    vectors: PostgresVectors
    """Of all embedders, for one to be put in the place of another."""
    trace: Trace
    purse: Purse
    """Knows where a user stands with the day's budget."""


@asynccontextmanager
async def build(settings: Settings, **overrides: Unpack[Overrides]) -> AsyncIterator[Pipeline]:
    """The pipeline that `settings` describe, with its servers and connections, while in use."""
    async with assemble(settings, **overrides) as application:
        yield application.pipeline


@asynccontextmanager
async def assemble(
    settings: Settings, **overrides: Unpack[Overrides]
) -> AsyncIterator[Application]:
    """Pipeline, ingest and stores over the servers of `settings`, started if embedded."""
    counting = overrides.get("tokenizer") or LlamaTokenizer(settings.tokenizer)
    tokenizer = RememberedCounts(counting)
    embedder = overrides.get("embedder")
    if embedder is None:  # loading takes seconds, the first time longer
        embedder = await asyncio.to_thread(_load_embedder, settings)
    chunker = overrides.get("chunker") or SentenceChunker(
        counting, settings.chunk_tokens, settings.chunk_overlap_tokens, embedder
    )
    clock = overrides.get("clock") or SystemClock()
    throttle = Throttle.of(settings, clock)
    listener = throttle.heard_by(
        overrides.get("listener") or LogListener(settings.log_level, settings.log_format)
    )
    async with AsyncExitStack() as stack:
        urls = await stack.enter_async_context(servers(settings))
        database = await stack.enter_async_context(
            _open_database(settings, urls.database_url, clock, listener)
        )
        reading = await stack.enter_async_context(PostgresEpochs(database).connected())
        stores = await stack.enter_async_context(
            cache_stores(urls.redis_url, settings, clock, listener)
        )
        purse = await stack.enter_async_context(
            Purse(settings, database, urls.redis_url, clock, listener)
        )
        ground = Foundation(
            tokenizer=tokenizer,
            embedder=embedder,
            chunker=chunker,
            database=database,
            reading=reading,
            stores=stores,
            purse=purse,
            clock=clock,
            places=throttle.places,
            listener=listener,
            marker=overrides.get("canary") or secrets.token_hex(8),
            generator=overrides.get("generator"),
            providers=overrides.get("providers"),
        )
        rollout = await stack.enter_async_context(open_rollout(settings, ground))
        trace = await stack.enter_async_context(open_trace(settings, clock))
        notes, records = TracedNotes(database, trace), PostgresImports(database)
        feedback = PostgresFeedback(database)
        sessions = session_store(settings, stores.redis, clock)
        files = document_store(settings, database)
        stable = rollout.stable
        ingest = Ingest(store=notes, embedder=embedder, chunker=chunker, tokenizer=counting)
        yield Application(
            pipeline=stable.pipeline,
            caches=stable.caches,
            ingest=ingest,
            purge=Purge(
                store=notes,
                answers=stores.answers,
                embeddings=stores.embeddings,
                imports=records,
                sessions=sessions,
                feedback=feedback,
                documents=files,
            ),
            notes=notes,
            epochs=stable.epochs,
            retriever=stable.retriever,
            embedder=embedder,
            tokenizer=tokenizer,
            listener=listener,
            rollout=rollout,
            places=throttle.places,
            limiter=throttle.limiter(settings, stores.redis, clock, listener),
            database=database,
            imports=_wire_imports(records, notes, ingest),
            conversations=wire_conversations(settings, sessions, notes, clock, stable.rewriter),
            feedback=feedback,
            documents=Documents(store=files, clock=SystemClock(), changed=trace.edited),
            reading=DocumentReading(
                settings, urls.database_url, files, ingest, trace.edited, listener
            ),
            readiness=Readiness(database, redis=stores.redis, router=stable.router, clock=clock),
            vectors=PostgresVectors(database),
            trace=trace,
            purse=purse,
        )


def _wire_imports(records: PostgresImports, notes: PostgresNotes, ingest: Ingest) -> Imports:
    # Signs of life are of this process's own time, and Postgres reads them by its own.
    return Imports(ingest=ingest, store=notes, records=records, clock=SystemClock())


def _open_database(
    settings: Settings, url: str, clock: Clock, listener: events.Listener
) -> AbstractAsyncContextManager[Database]:
    return open_database(
        url,
        read_connections=settings.database_pool_size,
        write_connections=settings.database_write_pool_size,
        read_timeout_s=settings.database_timeout_s,
        write_timeout_s=settings.database_write_timeout_s,
        prepare=settings.database_prepare,
        breaker=postgres_breaker(settings, clock, listener),
        listener=listener,
    )


def _load_embedder(settings: Settings) -> Embedder:
    return load_embedder(
        settings.embedder_model,
        backend=settings.embedder_backend,
        cache_dir=settings.home / "models",
        threads=own_cores(settings),
    )
