"""Wiring: the one place that sees settings, adapters and the pipeline together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import TypedDict, Unpack

from pydantic import SecretStr

from rag_core import events
from rag_core.adapters.embedders import load_embedder
from rag_core.adapters.generators.extractive import ExtractiveGenerator
from rag_core.adapters.llama_tokenizer import LlamaTokenizer
from rag_core.adapters.postgres.database import open_database
from rag_core.adapters.postgres.epochs import PostgresEpochs
from rag_core.adapters.postgres.index import check_index
from rag_core.adapters.postgres.notes import PostgresNotes
from rag_core.adapters.postgres.search import PostgresRetriever
from rag_core.adapters.telemetry.log import LogListener
from rag_core.bootstrap.caches import cache_stores, epoch_source
from rag_core.bootstrap.pipeline import Parts, wire_pipeline
from rag_core.cache.caches import Caches
from rag_core.cache.epochs import EpochSource
from rag_core.clock import Clock, SystemClock
from rag_core.domain.chunks import Chunker, SentenceChunker
from rag_core.domain.completion import Generator
from rag_core.domain.cost import Prices
from rag_core.domain.ranking import Embedder
from rag_core.domain.tokens import Tokenizer
from rag_core.errors import ConfigurationError
from rag_core.ingest import Ingest
from rag_core.pipeline import Pipeline
from rag_core.purge import Purge
from rag_core.settings import Settings


class Overrides(TypedDict, total=False):
    """Parts that a test, an eval or an embedding application brings itself."""

    embedder: Embedder
    generator: Generator
    chunker: Chunker
    tokenizer: Tokenizer
    clock: Clock
    listener: events.Listener


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
    tokenizer = overrides.get("tokenizer") or LlamaTokenizer(settings.tokenizer)
    embedder = overrides.get("embedder")
    if embedder is None:  # loading takes seconds, the first time longer
        embedder = await asyncio.to_thread(_load_embedder, settings)
    chunker = overrides.get("chunker") or SentenceChunker(
        tokenizer, settings.chunk_tokens, settings.chunk_overlap_tokens, embedder
    )
    clock = overrides.get("clock") or SystemClock()
    listener = overrides.get("listener") or LogListener(settings.log_level)
    async with AsyncExitStack() as stack:
        urls = await stack.enter_async_context(servers(settings))
        database = await stack.enter_async_context(
            open_database(
                urls.database_url,
                read_connections=settings.database_pool_size,
                write_connections=settings.database_write_pool_size,
                read_timeout_s=settings.database_timeout_s,
                write_timeout_s=settings.database_write_timeout_s,
                prepare=settings.database_prepare,
            )
        )
        await check_index(database, settings.search_method)
        reading = await stack.enter_async_context(PostgresEpochs(database).connected())
        epochs = epoch_source(reading, settings, clock)
        stores = await stack.enter_async_context(cache_stores(urls.redis_url, settings, clock))
        notes = PostgresNotes(database)
        retriever = PostgresRetriever(
            database,
            embedder_digest=embedder.digest,
            method=settings.search_method,
            ef_search=settings.ef_search,
        )
        generator = overrides.get("generator")
        if generator is None:
            generator = await stack.enter_async_context(
                open_generator(settings, embedder, tokenizer)
            )
        pipeline, wired = wire_pipeline(
            settings,
            Parts(
                tokenizer=tokenizer,
                embedder=embedder,
                retriever=retriever,
                generator=generator,
                stores=stores,
                epochs=epochs,
                clock=clock,
                listener=listener,
                search_name=f"{settings.search_method}:{settings.ef_search}:{chunker.name}",
            ),
        )
        ingest = Ingest(store=notes, embedder=embedder, chunker=chunker)
        purge = Purge(store=notes, answers=stores.answers)
        yield Application(
            pipeline, wired, ingest, purge, notes, epochs, retriever, embedder, tokenizer
        )


@dataclass(frozen=True, slots=True)
class Servers:
    """Where the servers are; without a Redis URL the caches are in this process."""

    database_url: str
    redis_url: str | None


@asynccontextmanager
async def servers(settings: Settings) -> AsyncIterator[Servers]:
    """The servers that `settings` name; those they do not are embedded, and migrated."""
    database_url = _secret(settings.database_url)
    redis_url = _secret(settings.redis_url) if settings.cache != "memory" else None
    embed_valkey = settings.cache == "redis" and not redis_url
    if database_url and not embed_valkey:
        yield Servers(database_url, redis_url)
        return
    from rag_core.embedded import embedded_stack

    async with embedded_stack(
        settings.home, postgres=not database_url, valkey=embed_valkey
    ) as urls:
        if not database_url:
            from rag_core.migrations import migrate

            database_url = urls.database_url
            await asyncio.to_thread(migrate, database_url)
        yield Servers(database_url, urls.redis_url if embed_valkey else redis_url)


@asynccontextmanager
async def open_generator(
    settings: Settings, embedder: Embedder, tokenizer: Tokenizer
) -> AsyncIterator[Generator]:
    """Hugging Face where a token or a server is configured, else the extractive generator.

    Raises:
        ConfigurationError: Hugging Face is asked for, and neither token nor server is set.
    """
    configured = bool(settings.hf_token or settings.hf_base_url)
    if settings.generator == "extractive" or (settings.generator == "auto" and not configured):
        yield ExtractiveGenerator(embedder, tokenizer)
        return
    if not configured:
        raise ConfigurationError(
            "RAG_HF_TOKEN",
            "is not set, but RAG_GENERATOR is huggingface",
            "Set it, or RAG_HF_BASE_URL, or RAG_GENERATOR=extractive",
        )
    # Takes half a second to import, and most uses do without.
    from rag_core.adapters.generators.huggingface import HuggingFaceGenerator

    generator = HuggingFaceGenerator(
        model=settings.hf_model,
        token=_secret(settings.hf_token),
        base_url=_secret(settings.hf_base_url),
        timeout_s=settings.hf_timeout_s,
        prices=Prices(settings.price_input_usd, settings.price_output_usd),
        tokenizer=tokenizer,
    )
    async with aclosing(generator):
        yield generator


def _load_embedder(settings: Settings) -> Embedder:
    return load_embedder(
        settings.embedder_model,
        backend=settings.embedder_backend,
        cache_dir=settings.home / "models",
    )


def _secret(value: SecretStr | None) -> str | None:
    return value.get_secret_value() if value else None
