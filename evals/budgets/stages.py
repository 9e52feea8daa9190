"""The pipeline's steps, each done once for all the settings that share what it depends on.

    notes cut and embedded     once a chunking
    question embedded          once
    ranked                     once a chunking, as deep as any setting asks
    context                    once a chunking, top_k, context_tokens and min_score
    answer                     once a context and output_tokens

Each step is rag_core's own, over its store in memory or the deployed one; only their order stands
here, and a test holds it to what the deployed pipeline does.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Generic, TypeVar

from evals.budgets.grid import BudgetSetting, Chunking
from evals.datasets.golden import GoldenQuestion
from evals.measures.kept_vectors import KeptEmbedder
from evals.project import CANARY
from rag_core.adapters.memory import MemoryNotes
from rag_core.cache import NoFleet
from rag_core.clock import SystemClock
from rag_core.domain import (
    EVERYTHING,
    LEXICAL_WEIGHT,
    RULES,
    Answer,
    Context,
    Filters,
    Generator,
    Note,
    PipelineConfig,
    Prompt,
    Query,
    Question,
    Ranking,
    Retriever,
    SearchMode,
    SentenceChunker,
    Tokenizer,
    assemble_prompt,
    authenticated,
    build_context,
    fingerprint,
    nothing_found,
    refusal,
    validate_question,
)
from rag_core.errors import ProviderError, Unavailable
from rag_core.events import ignore
from rag_core.ingest import Ingest
from rag_core.providers import Generation, Router
from rag_core.safety import find_attack
from rag_core.search import fitted_model, named_filters, usable_hits

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Timed(Generic[T]):
    """What a step gave, and the milliseconds it took when it, and every text in it, was new."""

    value: T
    ms: float


@dataclass(frozen=True, slots=True)
class Reply:
    """What a question got at a setting; without an `answer`, `error` says why."""

    context: Context
    answer: Answer | None
    ms: float
    """Milliseconds of embedding the question, building the context and generating, without search
    and caches: what the budgets move, and what was really measured."""
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What the steps are made of; `notes` by user."""

    embedder: KeptEmbedder
    tokenizer: Tokenizer
    generator: Generator
    question_tokens: int
    mode: SearchMode = SearchMode.DENSE
    lexical_weight: float = LEXICAL_WEIGHT
    """What a point of BM25 counts beside the cosine, in hybrid search."""
    rules: str = RULES
    notes: Mapping[str, Sequence[Note]]


class Stages:
    """Answers golden questions at any setting, each step remembered.

    Args:
        depth: hits of a ranking, at least every setting's top_k; a number.
    """

    def __init__(self, parts: Parts, *, depth: int) -> None:
        self._parts = parts
        self._depth = depth
        self._stores: dict[Chunking, Retriever] = {}
        self._rankings: dict[tuple[str, Chunking], Timed[Ranking]] = {}
        self._contexts: dict[tuple[object, ...], Timed[Context]] = {}
        self._answers: dict[tuple[object, ...], Timed[Answer | str]] = {}

    async def cut(
        self, chunking: Chunking, users: Sequence[str], progress: Callable[[int], object]
    ) -> None:
        """Cut and embed the notes of `users`; `progress` is told how many notes were done."""
        parts = self._parts
        store = MemoryNotes(
            embedder_digest=parts.embedder.digest,
            mode=parts.mode,
            lexical_weight=parts.lexical_weight,
        )
        chunker = SentenceChunker(parts.tokenizer, *chunking, parts.embedder)
        ingest = Ingest(store=store, embedder=parts.embedder, chunker=chunker)
        for user in users:
            await ingest.run(authenticated(user), parts.notes[user], progress=progress)
        self._stores[chunking] = store

    def search_in(self, chunking: Chunking, retriever: Retriever) -> None:
        """Search what a store holds, instead of cutting; its notes must be those of the parts."""
        self._stores[chunking] = retriever

    async def ask(self, asked: GoldenQuestion, setting: BudgetSetting) -> Reply:
        """The context and the answer that `asked` gets; a failed provider is an error in it.

        The notes of its user must have been cut as the setting says.
        """
        context = await self.context(asked, setting)
        answer = await self._answer(asked, setting, context.value)
        ms = self._rankings[asked.id, setting.chunking].ms + context.ms + answer.ms
        if isinstance(answer.value, str):
            return Reply(context.value, None, ms, answer.value)
        return Reply(context.value, answer.value, ms)

    async def context(self, asked: GoldenQuestion, setting: BudgetSetting) -> Timed[Context]:
        """What the question is answered from; empty where it is refused or nothing was found."""
        least = (setting.min_score, setting.min_answerability)
        limits = (setting.top_k, setting.context_tokens, *least)
        key = (asked.id, setting.chunking, *limits)
        if key not in self._contexts:
            ranking = (await self.ranking(asked, setting.chunking)).value
            began = time.perf_counter()
            context = self._fitted(asked, setting, ranking)
            self._contexts[key] = Timed(context, _ms_since(began))
        return self._contexts[key]

    def _fitted(self, asked: GoldenQuestion, setting: BudgetSetting, ranking: Ranking) -> Context:
        if find_attack(asked.question):
            return Context()
        parts, first = self._parts, replace(ranking, hits=ranking.hits[: setting.top_k])
        model = None if parts.mode is SearchMode.DENSE else fitted_model()
        config = PipelineConfig(
            min_score=setting.min_score, min_answerability=setting.min_answerability
        )
        return build_context(
            usable_hits(self.question(asked).text, first, config, model),
            tokenizer=parts.tokenizer,
            max_tokens=setting.context_tokens,
            min_score=-1.0,
        )

    def prompt(self, asked: GoldenQuestion, context: Context) -> Prompt:
        """What a generator is sent."""
        return assemble_prompt(
            self.question(asked), context, canary=CANARY, rules=self._parts.rules
        )

    def answered(self, asked: GoldenQuestion, setting: BudgetSetting, context: Context) -> bool:
        """Whether the answer is known already, or takes no generator."""
        return not context or self._answer_key(asked, setting, context) in self._answers

    async def ranking(self, asked: GoldenQuestion, chunking: Chunking) -> Timed[Ranking]:
        """The first hits of the question, and the time of embedding it."""
        key = (asked.id, chunking)
        if key not in self._rankings:
            embedder, question = self._parts.embedder, self.question(asked)
            began, spared_ms = time.perf_counter(), embedder.spared_ms
            vector = (await embedder.embed([question.text]))[0]
            query = Query(vector, question.text, named=self._named(question))
            ms = _ms_since(began) + embedder.spared_ms - spared_ms
            store, user = self._stores[chunking], authenticated(asked.user)
            self._rankings[key] = Timed(await store.search(user, query, k=self._depth), ms)
        return self._rankings[key]

    def _named(self, question: Question) -> Filters:
        if self._parts.mode is not SearchMode.HYBRID:
            return EVERYTHING
        return named_filters(question.text, datetime.now(UTC).date())

    async def _answer(
        self, asked: GoldenQuestion, setting: BudgetSetting, context: Context
    ) -> Timed[Answer | str]:
        key = self._answer_key(asked, setting, context)
        if key not in self._answers:
            embedder = self._parts.embedder
            began, spared_ms = time.perf_counter(), embedder.spared_ms
            answer = await self._generate(asked, setting, context)
            self._answers[key] = Timed(answer, _ms_since(began) + embedder.spared_ms - spared_ms)
        return self._answers[key]

    async def _generate(
        self, asked: GoldenQuestion, setting: BudgetSetting, context: Context
    ) -> Answer | str:
        question = self.question(asked)
        if attack := find_attack(asked.question):
            return refusal(question, attack)
        if not context:
            return nothing_found(question, "")
        generation = Generation(
            Router.alone(self._parts.generator),
            clock=SystemClock(),
            tokenizer=self._parts.tokenizer,
            fleet=NoFleet(),
            max_tokens=setting.output_tokens,
            canary=CANARY,
            listener=ignore,
        )
        try:
            return generation.checked(
                await generation.draft(authenticated(asked.user), question, context, None), ""
            )
        except (ProviderError, Unavailable) as error:
            return f"{type(error).__name__}: {error}"

    def _answer_key(
        self, asked: GoldenQuestion, setting: BudgetSetting, context: Context
    ) -> tuple[object, ...]:
        evidence = fingerprint(self.question(asked), context, str(setting.chunking))
        return asked.id, evidence, setting.output_tokens

    def question(self, asked: GoldenQuestion) -> Question:
        """What the pipeline takes of it: no more than a question may have."""
        return validate_question(
            asked.question,
            tokenizer=self._parts.tokenizer,
            max_tokens=self._parts.question_tokens,
        )


def _ms_since(began: float) -> float:
    return (time.perf_counter() - began) * 1000
