"""A pipeline by its own settings over what all pipelines of a process share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from msgspec.structs import replace

from rag_core import events
from rag_core.adapters.generators import ExtractiveGenerator
from rag_core.adapters.postgres.index import check_index
from rag_core.adapters.postgres.search import PostgresRetriever
from rag_core.adapters.postgres.vectors import PostgresVectors
from rag_core.bootstrap.caches import epoch_source, switched_off
from rag_core.bootstrap.classes import class_routers, classes_in_use
from rag_core.bootstrap.conversations import wire_rewriter
from rag_core.bootstrap.foundation import Foundation
from rag_core.bootstrap.pipeline import Parts, wire_pipeline
from rag_core.bootstrap.providers import Writers, open_providers, wire_writers
from rag_core.budget.spending import Spending
from rag_core.cache.caches import Caches
from rag_core.cache.epochs import EpochSource
from rag_core.conversation import Rewriter
from rag_core.domain.cost import FREE
from rag_core.domain.options import AS_CONFIGURED, Options
from rag_core.domain.query import NAMED_BONUS, SearchMode
from rag_core.domain.words import WORDS_NAME
from rag_core.pipeline import Pipeline
from rag_core.providers.choices import Choices
from rag_core.providers.router import Router
from rag_core.recall import Recall
from rag_core.search.filters import NAMED_FILTERS
from rag_core.settings import Settings
from rag_core.side_by_side import CaughtUpRetriever, SideBySide


@dataclass(frozen=True, slots=True)
class WiredPipeline:
    """A pipeline, and those of its parts that are its own."""

    settings: Settings
    pipeline: Pipeline
    caches: Caches
    epochs: EpochSource
    retriever: PostgresRetriever
    router: Router
    recall: Recall
    rewriter: Rewriter | None
    """Who rewrites follow-ups; None: rules."""

    @property
    def choices(self) -> Choices:
        """What a question may say of how its answer is written."""
        settings = self.settings
        return Choices(
            writers=self.router.writers if settings.answer_options else (),
            max_tokens=settings.output_tokens,
            own_keys=settings.own_provider_keys,
        )

    def chosen(self, options: Options) -> Pipeline:
        """The pipeline as `options` say.

        Raises:
            InvalidInput: something was chosen that may not be.
        """
        if options is AS_CONFIGURED:  # nearly always
            return self.pipeline
        self.choices.check(options)
        return self.pipeline.chosen(options)


@asynccontextmanager
async def open_pipeline(
    settings: Settings, ground: Foundation, name: events.Variant
) -> AsyncIterator[WiredPipeline]:
    """The pipeline that `settings` describe; what it tells of answers says which one it is.

    Raises:
        ConfigurationError: a setting cannot be used, or the index that it names is not there.
    """
    listener = stamped(ground.listener, name)
    classes = classes_in_use(settings)
    index = await check_index(ground.database, settings.search_method)
    epochs = epoch_source(ground.reading, settings, ground.clock, ground.listener)
    retriever = PostgresRetriever(
        ground.database,
        embedder_digest=ground.embedder.digest,
        mode=settings.search_mode,
        method=settings.search_method,
        ef_search=settings.ef_search,
        exact_up_to=settings.exact_up_to,
        lexical_weight=settings.lexical_weight,
    )
    side = SideBySide(PostgresVectors(ground.database), ground.embedder)
    async with AsyncExitStack() as stack:
        writers, spending = await _writers(settings, ground, stack)
        rewriter = wire_rewriter(settings, writers, ground.tokenizer, spending)
        pipeline, caches = wire_pipeline(
            settings,
            Parts(
                tokenizer=ground.tokenizer,
                embedder=ground.embedder,
                retriever=CaughtUpRetriever(retriever, side),
                router=writers.router,
                quoting=writers.quoting,
                classes=classes,
                class_routers=class_routers(classes, writers),
                spending=spending,
                canary=ground.marker,
                stores=switched_off(ground.stores) if settings.cache == "off" else ground.stores,
                epochs=epochs,
                clock=ground.clock,
                places=ground.places,
                listener=listener,
                search_name=_search_name(settings, ground, index),
            ),
        )
        recall = Recall(
            pipeline,
            caches,
            tokenizer=ground.tokenizer,
            question_tokens=settings.question_tokens,
            clock=ground.clock,
        )
        yield WiredPipeline(
            settings, pipeline, caches, epochs, retriever, writers.router, recall, rewriter
        )


def _search_name(settings: Settings, ground: Foundation, index: str) -> str:
    """All of the way of searching that may change what is found."""
    mode, method = settings.search_mode, str(settings.search_method)
    if index:
        method = f"{method}({index}):{settings.exact_up_to}"
    words = "" if mode is SearchMode.DENSE else f":{WORDS_NAME}:{NAMED_FILTERS}"
    if mode is SearchMode.HYBRID:
        words += f":sum-{settings.lexical_weight}-{NAMED_BONUS}"
    return f"{mode}{words}:{method}:{settings.ef_search}:{ground.chunker.name}"


def stamped(listener: events.Listener, name: events.Variant) -> events.Listener:
    """Tells `listener` of answers and failures as those of the variant `name`."""
    if name == "stable":  # what events say by themselves
        return listener

    def stamp(event: events.Event) -> None:
        if isinstance(event, events.Answered | events.QueryFailed):
            event = replace(event, variant=name)
        listener(event)

    return stamp


async def _writers(
    settings: Settings, ground: Foundation, stack: AsyncExitStack
) -> tuple[Writers, Spending | None]:
    if ground.generator:
        return Writers(Router.alone(ground.generator, ground.listener), None), None
    providers = ground.providers
    if providers is None:
        providers = await stack.enter_async_context(open_providers(settings, ground.tokenizer))
    paid = any(provider.prices != FREE for provider in providers)
    spending = await ground.purse.open() if paid else None
    writers = wire_writers(
        settings,
        providers,
        ExtractiveGenerator(ground.embedder, ground.tokenizer),
        clock=ground.clock,
        listener=ground.listener,
        redis=ground.stores.redis,
    )
    return writers, spending
