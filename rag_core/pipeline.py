"""The pipeline: seven steps from a question to a cited answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable
from contextlib import AbstractAsyncContextManager, aclosing
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from rag_core.cache.caches import Caches
from rag_core.cache.keys import answer_key, context_key, embedding_key, flight_key
from rag_core.cache.policy import Decision
from rag_core.cache.single_flight import Emit, Flight
from rag_core.cache.stats import LevelStats
from rag_core.clock import Clock
from rag_core.domain.answer import (
    REFUSAL_TEXT,
    Answer,
    Flag,
    Provenance,
    check_completion,
)
from rag_core.domain.completion import Completion, Generator
from rag_core.domain.context import Context, build_context
from rag_core.domain.cost import NO_USAGE
from rag_core.domain.declining import DECLINING_TEXT
from rag_core.domain.evidence import fingerprint
from rag_core.domain.pipeline_config import PipelineConfig, pipeline_digest
from rag_core.domain.prompt import Prompt, assemble_prompt
from rag_core.domain.question import Question, validate_question
from rag_core.domain.ranking import Embedder, Ranking, Retriever
from rag_core.domain.tokens import Tokenizer
from rag_core.domain.user import UserId, authenticated
from rag_core.errors import DeadlineExceeded, ProviderTimeout, ProviderUnavailable
from rag_core.events import (
    AttackRefused,
    CacheLookedUp,
    LeakBlocked,
    Listener,
    LookupOutcome,
    SearchFellShort,
)
from rag_core.request import Limits, Request
from rag_core.safety.injection import find_attack
from rag_core.safety.leaks import LeakFilter

if TYPE_CHECKING:
    from rag_core.domain.ranking import Vector

T = TypeVar("T")

GENERATION_SHARE = 0.9
"""Of the time that is left when generation begins; the rest is for doing without."""

FOLLOWING_SHARE = 0.95
"""The same where another process generates: if it gives up in time, it knows why."""


class Pipeline:
    """Answers a user's questions from that user's notes."""

    def __init__(
        self,
        *,
        tokenizer: Tokenizer,
        embedder: Embedder,
        retriever: Retriever,
        generator: Generator,
        caches: Caches,
        config: PipelineConfig,
        clock: Clock,
        listener: Listener,
        canary: str,
        retrieval_name: str,
        limits: Limits | None = None,
    ) -> None:
        self._tokenizer = tokenizer
        self._embedder = embedder
        self._retriever = retriever
        self._generator = generator
        self._caches = caches
        self._config = config
        self._clock = clock
        self._listener = listener
        self._canary = canary
        self._limits = limits or Limits()
        self.digest = pipeline_digest(config, generator, embedder, retrieval_name)

    async def answer(self, question: str, user: str | None) -> Answer:
        """The whole answer to `question` from the notes of `user`.

        Raises:
            Unauthenticated: no user.
            InvalidInput: the question is empty or far too long.
            Unavailable, ProviderError, ConfigurationError: a part failed; see `rag_core.errors`.
        """
        request = self._request(user)
        if known := await self._known(request, question):
            return known
        async with self._flight(request, streamed=False) as flight:
            answer = self._shared(request, await _in_time(request, flight.answer()), flight)
        return request.finish(answer)

    async def stream(self, question: str, user: str | None) -> AsyncGenerator[str | Answer, None]:
        """Pieces of the text as they are generated, then the whole Answer.

        The Answer's text is the final word: it has dangling citations removed, and is a refusal
        when the generator began to leak its rules. Raises what `answer` raises.
        """
        request = self._request(user)
        if known := await self._known(request, question):
            yield known.text
            yield known
            return
        silent = True
        async with self._flight(request, streamed=True) as flight:
            async with aclosing(flight.pieces()) as pieces:
                while piece := await _in_time(request, anext(pieces, None)):
                    silent = False
                    yield piece
            answer = self._shared(request, await _in_time(request, flight.answer()), flight)
        if silent:
            yield answer.text
        yield request.finish(answer)

    async def retrieve(self, question: str, user: str | None) -> Ranking:
        """Steps 1, 3 and 4 alone: what would be found for `question`, below the threshold too."""
        asker = authenticated(user)
        vector = await self._embed(asker, self._validate(question))
        return await self._search(asker, vector)

    async def stats(self) -> dict[str, LevelStats]:
        """What each cache level did in this process, and how much it holds now."""
        return await self._caches.stats()

    # The seven steps --------------------------------------------------------------------------

    async def _known(self, request: Request, raw: str) -> Answer | None:
        """1 validate, 2 answer cache: the answer, if that is all it takes."""
        with request.bound():
            with request.step("validate"):
                request.question = self._validate(raw)
                attack = find_attack(raw)
            if attack:
                return request.finish(self._refuse(request.question, attack))
            with request.step("answer_cache"):
                key = answer_key(request.user, request.question, self.digest)
                request.lookup = await self._caches.lookup(request.user, key)
            if self._caches.decide(request.lookup) is Decision.SERVE:
                answer = self._served(request, Provenance.CACHED)
                return request.finish(answer, **_once_more(answer, Provenance.CACHED))
            return None

    async def _make(self, request: Request, streamed: bool, emit: Emit) -> Answer:
        """3 embed, 4 retrieve, 5 build the context; 6 and 7 at most once in the whole fleet."""
        with request.bound():
            context = await self._find(request)
            evidence = fingerprint(request.question, context, self.digest)
            if self._caches.decide(request.lookup, evidence) is Decision.REVALIDATE:
                await self._caches.confirm(request.lookup)
                return _again(self._served(request, Provenance.REVALIDATED), Provenance.REVALIDATED)
            self._caches.emit(CacheLookedUp("answer", "miss"))
            if not context:
                return await self._keep(request, _nothing_found(request.question, evidence))
            try:
                return await self._once(request, context, evidence, emit if streamed else None)
            except ProviderUnavailable:
                usable = self._caches.decide(request.lookup, evidence) is Decision.FALL_BACK
                if usable and not request.shown:
                    return _again(self._served(request, Provenance.STALE), Provenance.STALE)
                raise

    async def _find(self, request: Request) -> Context:
        """3, 4, 5, each cached."""
        key = ""
        if epoch := request.lookup.epoch:
            key = context_key(request.user, epoch, request.question, self.digest)
        context = self._caches.get_context(key) if key else None
        if context is None:
            with request.step("embed"):
                vector = await self._embed(request.user, request.question)
            with request.step("retrieve"):
                ranking = await self._search(request.user, vector)
            with request.step("context"):
                context = self._build(ranking)
            if key:
                self._caches.put_context(key, context)
        return context

    async def _once(
        self, request: Request, context: Context, evidence: str, emit: Emit | None
    ) -> Answer:
        """6 and 7, here or in the process of the fleet that began them first."""
        try:
            async with asyncio.timeout(request.deadline.left_s() * FOLLOWING_SHARE):
                answer, led = await self._caches.fleet.run(
                    flight_key(request.user, evidence),
                    lambda: self._generate(request, context, evidence, emit),
                )
        except TimeoutError as error:
            raise ProviderTimeout("no process had an answer within the request's time") from error
        return answer if led else _again(answer, Provenance.REVALIDATED)

    async def _generate(
        self, request: Request, context: Context, evidence: str, emit: Emit | None
    ) -> Answer:
        """6 generate; 7 check, price and store."""
        prompt = assemble_prompt(request.question, context, canary=self._canary)
        guard = LeakFilter(prompt)
        with request.step("generate"):
            completion = await self._complete(request, prompt, guard, emit)
        with request.step("check"):
            answer = self._checked(request.question, prompt, completion, evidence)
        if answer.provenance is Provenance.REFUSED:
            return answer
        if emit and (rest := guard.rest()):
            emit(rest)
        return await self._keep(request, answer)

    # What the steps are made of ---------------------------------------------------------------

    def _request(self, user: str | None) -> Request:
        return Request(
            authenticated(user), limits=self._limits, clock=self._clock, listener=self._listener
        )

    def _flight(self, request: Request, *, streamed: bool) -> AbstractAsyncContextManager[Flight]:
        """3 to 7, together with whoever asks the same at the same epoch meanwhile."""
        key = f"{request.lookup.key}:{request.lookup.epoch}"
        return self._caches.local.join(key, partial(self._make, request, streamed))

    def _shared(self, request: Request, answer: Answer, flight: Flight) -> Answer:
        """The answer of a flight; free for all but the first who has it."""
        if flight.claim():
            return answer
        with request.bound():
            self._caches.emit(CacheLookedUp("answer", "hit", saved_usd=answer.cost_usd))
        return _again(answer, Provenance.CACHED)

    def _validate(self, raw: str) -> Question:
        return validate_question(
            raw, tokenizer=self._tokenizer, max_tokens=self._config.question_tokens
        )

    async def _embed(self, user: UserId, question: Question) -> Vector:
        key = embedding_key(user, question, self._embedder.digest)
        vector = await self._caches.get_vector(key)
        if vector is None:
            vector = (await self._embedder.embed([question.text]))[0]
            await self._caches.put_vector(key, vector)
        return vector

    async def _search(self, user: UserId, vector: Vector) -> Ranking:
        ranking = await self._retriever.search(user, vector, k=self._config.top_k)
        if ranking.missed:
            self._listener(SearchFellShort(len(ranking.hits), ranking.missed))
        return ranking

    def _build(self, ranking: Ranking) -> Context:
        return build_context(
            ranking,
            tokenizer=self._tokenizer,
            max_tokens=self._config.context_tokens,
            min_score=self._config.min_score,
        )

    async def _complete(
        self, request: Request, prompt: Prompt, guard: LeakFilter, emit: Emit | None
    ) -> Completion:
        """What the generator says within the request's time; in pieces where someone listens."""
        limit = self._config.output_tokens
        try:
            async with asyncio.timeout(request.deadline.left_s() * GENERATION_SHARE):
                if emit is None:
                    return await self._generator.generate(prompt, max_tokens=limit)
                async with aclosing(self._generator.stream(prompt, max_tokens=limit)) as pieces:
                    async for piece in pieces:
                        if isinstance(piece, Completion):
                            return piece
                        if safe := guard.feed(piece):
                            request.shown = True
                            emit(safe)
        except TimeoutError as error:
            raise ProviderTimeout(
                "the generator did not answer within the request's time"
            ) from error
        raise AssertionError("a generator's stream ends with its Completion")

    def _checked(
        self, question: Question, prompt: Prompt, completion: Completion, evidence: str
    ) -> Answer:
        checked = check_completion(completion.text, prompt)
        if checked.leaked:
            self._listener(LeakBlocked(self._generator.name, completion.model))
        cut = (Flag.OUTPUT_TRUNCATED,) if completion.finish_reason == "length" else ()
        return Answer(
            text=checked.text,
            provenance=Provenance.REFUSED if checked.leaked else Provenance.FRESH,
            citations=checked.citations,
            usage=completion.usage,
            cost_usd=self._generator.prices.cost_usd(completion.usage),
            generator=self._generator.name,
            model=completion.model,
            flags=_flags(question) + checked.flags + cut,
            evidence=evidence,
        )

    async def _keep(self, request: Request, answer: Answer) -> Answer:
        with request.step("store"):
            await self._caches.put(request.lookup, answer, request.elapsed_ms())
        return answer

    def _refuse(self, question: Question, attack: str) -> Answer:
        self._listener(AttackRefused(attack))
        flags = (Flag.INJECTION, *_flags(question))
        return Answer(REFUSAL_TEXT, Provenance.REFUSED, flags=flags, attack=attack)

    def _served(self, request: Request, provenance: Provenance) -> Answer:
        """The stored answer as it was made, counted for what it saves."""
        cached = request.lookup.cached
        assert cached is not None, "only what was found can be served"
        self._caches.emit(
            CacheLookedUp("answer", _OUTCOMES[provenance], cached.took_ms, cached.answer.cost_usd)
        )
        return cached.answer


_OUTCOMES: dict[Provenance, LookupOutcome] = {
    Provenance.CACHED: "hit",
    Provenance.REVALIDATED: "revalidated",
    Provenance.STALE: "stale",
}


async def _in_time(request: Request, awaited: Awaitable[T]) -> T:
    """What is awaited, by the request's deadline."""
    try:
        async with asyncio.timeout(request.deadline.left_s()):
            return await awaited
    except TimeoutError as error:
        raise DeadlineExceeded("the question was not answered in time", "Try again") from error


def _nothing_found(question: Question, evidence: str) -> Answer:
    flags = _flags(question)
    return Answer(DECLINING_TEXT, Provenance.NO_CONTEXT, flags=flags, evidence=evidence)


def _again(answer: Answer, provenance: Provenance) -> Answer:
    return replace(answer, **_once_more(answer, provenance))


def _once_more(answer: Answer, provenance: Provenance) -> dict[str, Any]:
    """What differs in an answer given once more, free; that there is nothing, it still says."""
    if answer.provenance is not Provenance.FRESH:
        provenance = answer.provenance
    return {"provenance": provenance, "usage": NO_USAGE, "cost_usd": 0.0}


def _flags(question: Question) -> tuple[Flag, ...]:
    return (Flag.QUESTION_TRUNCATED,) if question.truncated else ()
