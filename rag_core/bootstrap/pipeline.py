"""The pipeline, put together from its parts: the only place that does so."""

from __future__ import annotations

import random
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import partial

from rag_core.bootstrap.caches import CacheStores, wire_caches
from rag_core.bootstrap.prompt import prompt_rules
from rag_core.budget.spending import Spending
from rag_core.cache.caches import Caches
from rag_core.cache.epochs import EpochSource
from rag_core.clock import Clock, SystemClock
from rag_core.domain.pipeline_config import PipelineConfig
from rag_core.domain.query import SearchMode
from rag_core.domain.question_class import ClassBudgets, QuestionClass
from rag_core.domain.ranking import Embedder, Retriever
from rag_core.domain.tokens import Tokenizer
from rag_core.events import Listener, ignore
from rag_core.lanes import Lane, Lanes
from rag_core.pipeline import Pipeline
from rag_core.providers.generation import Generation
from rag_core.providers.ladder import Ladder
from rag_core.providers.router import Router
from rag_core.request import Limits, Requests
from rag_core.search.answerability import fitted_model
from rag_core.search.retrieval import Retrieval
from rag_core.settings import Settings
from rag_core.throttle.concurrency import Concurrency


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a pipeline is made of beside its settings."""

    tokenizer: Tokenizer
    embedder: Embedder
    retriever: Retriever
    router: Router
    stores: CacheStores
    epochs: EpochSource
    clock: Clock = field(default_factory=SystemClock)
    places: Concurrency = field(default_factory=lambda: Concurrency(0, SystemClock()))
    """Of the process; by default as many as come."""
    listener: Listener = ignore
    jitter: random.Random = field(default_factory=random.Random)
    search_name: str = "exact"
    """Says how is searched, where that may change what is found; part of the digest."""
    quoting: Router | None = None
    """Who quotes the notes where no provider can answer."""
    classes: Mapping[QuestionClass, ClassBudgets] = field(default_factory=dict)
    """The classes of questions that have budgets of their own."""
    class_routers: Mapping[QuestionClass, Router] = field(default_factory=dict)
    """Who writes for those of them that have providers of their own."""
    spending: Spending | None = None
    """Who pays; None: nobody, for generators that cost nothing."""
    canary: str = field(default_factory=lambda: secrets.token_hex(8))
    """The marker in the system rules, 16 hex digits; another one in every process."""


def wire_pipeline(settings: Settings, parts: Parts) -> tuple[Pipeline, Caches]:
    """The pipeline over `parts` that `settings` describe, and its caches."""
    config = PipelineConfig(
        question_tokens=settings.question_tokens,
        context_tokens=settings.context_tokens,
        output_tokens=settings.output_tokens,
        top_k=settings.top_k,
        min_score=settings.min_score,
        min_answerability=settings.min_answerability,
    )
    caches = wire_caches(
        settings, parts.stores, parts.epochs, parts.clock, parts.listener, parts.jitter
    )
    lane = partial(_lane, settings, parts, caches)
    lanes = Lanes(
        lane(config, parts.router),
        {
            kind: lane(_of_class(config, budgets), parts.class_routers.get(kind, parts.router))
            for kind, budgets in parts.classes.items()
        },
    )
    quoting = _generation(settings, parts, config, parts.quoting) if parts.quoting else None
    limits = Limits(request_s=settings.request_timeout_s, redis_s=settings.redis_budget_s)
    pipeline = Pipeline(
        config=config,
        tokenizer=parts.tokenizer,
        caches=caches,
        lanes=lanes,
        ladder=Ladder(quoting),
        requests=Requests(limits=limits, clock=parts.clock, listener=parts.listener),
    )
    return pipeline, caches


def _of_class(config: PipelineConfig, budgets: ClassBudgets) -> PipelineConfig:
    return replace(
        config,
        context_tokens=budgets.context_tokens or config.context_tokens,
        output_tokens=budgets.output_tokens or config.output_tokens,
    )


def _lane(
    settings: Settings, parts: Parts, caches: Caches, config: PipelineConfig, router: Router
) -> Lane:
    retrieval = Retrieval(
        config=config,
        tokenizer=parts.tokenizer,
        embedder=parts.embedder,
        retriever=parts.retriever,
        caches=caches,
        clock=parts.clock,
        listener=parts.listener,
        places=parts.places,
        name=parts.search_name,
        names=settings.search_mode is SearchMode.HYBRID,
        model=None if settings.search_mode is SearchMode.DENSE else fitted_model(),
    )
    return Lane.of(config, retrieval, _generation(settings, parts, config, router, parts.spending))


def _generation(
    settings: Settings,
    parts: Parts,
    config: PipelineConfig,
    router: Router,
    spending: Spending | None = None,
) -> Generation:
    return Generation(
        router,
        clock=parts.clock,
        tokenizer=parts.tokenizer,
        fleet=parts.stores.fleet,
        max_tokens=config.output_tokens,
        canary=parts.canary,
        rules=prompt_rules(settings),
        listener=parts.listener,
        spending=spending,
    )
