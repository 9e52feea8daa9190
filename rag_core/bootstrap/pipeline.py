"""The pipeline, put together from its parts: the only place that does so."""

from __future__ import annotations

import random
import secrets
from dataclasses import dataclass, field

from rag_core.bootstrap.caches import CacheStores, wire_caches
from rag_core.cache.caches import Caches
from rag_core.cache.epochs import EpochSource
from rag_core.clock import Clock, SystemClock
from rag_core.domain.completion import Generator
from rag_core.domain.pipeline_config import PipelineConfig
from rag_core.domain.ranking import Embedder, Retriever
from rag_core.domain.tokens import Tokenizer
from rag_core.events import Listener, ignore
from rag_core.pipeline import Pipeline
from rag_core.providers.generation import Generation
from rag_core.request import Limits, Requests
from rag_core.search.retrieval import Retrieval
from rag_core.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a pipeline is made of beside its settings."""

    tokenizer: Tokenizer
    embedder: Embedder
    retriever: Retriever
    generator: Generator
    stores: CacheStores
    epochs: EpochSource
    clock: Clock = field(default_factory=SystemClock)
    listener: Listener = ignore
    jitter: random.Random = field(default_factory=random.Random)
    search_name: str = "exact"
    """Says how is searched, where that may change what is found; part of the digest."""


def wire_pipeline(settings: Settings, parts: Parts) -> tuple[Pipeline, Caches]:
    """The pipeline over `parts` that `settings` describe, and its caches."""
    config = PipelineConfig(
        question_tokens=settings.question_tokens,
        context_tokens=settings.context_tokens,
        output_tokens=settings.output_tokens,
        top_k=settings.top_k,
        min_score=settings.min_score,
    )
    caches = wire_caches(
        settings, parts.stores, parts.epochs, parts.clock, parts.listener, parts.jitter
    )
    retrieval = Retrieval(
        config=config,
        tokenizer=parts.tokenizer,
        embedder=parts.embedder,
        retriever=parts.retriever,
        caches=caches,
        listener=parts.listener,
        name=parts.search_name,
    )
    generation = Generation(
        parts.generator,
        fleet=parts.stores.fleet,
        max_tokens=config.output_tokens,
        canary=secrets.token_hex(8),
        listener=parts.listener,
    )
    limits = Limits(request_s=settings.request_timeout_s, redis_s=settings.redis_budget_s)
    pipeline = Pipeline(
        config=config,
        tokenizer=parts.tokenizer,
        caches=caches,
        retrieval=retrieval,
        generation=generation,
        requests=Requests(limits=limits, clock=parts.clock, listener=parts.listener),
    )
    return pipeline, caches
