"""The pipeline: seven steps from a question to a cited answer."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from copy import copy
from functools import partial

from rag_core.cache.caches import Caches
from rag_core.cache.single_flight import Emit, Flight
from rag_core.cache.stats import LevelStats
from rag_core.domain.answer import Answer, nothing_found, refusal
from rag_core.domain.context import Context
from rag_core.domain.evidence import fingerprint
from rag_core.domain.options import AS_CONFIGURED, Options
from rag_core.domain.pipeline_config import PipelineConfig
from rag_core.domain.query import EVERYTHING, Filters
from rag_core.domain.question import Question, validate_question
from rag_core.domain.tokens import Tokenizer
from rag_core.domain.user import authenticated
from rag_core.events import AttackRefused
from rag_core.lanes import Lanes
from rag_core.providers.ladder import NO_PROVIDER, Ladder
from rag_core.request import Request, Requests
from rag_core.safety.injection import find_attack
from rag_core.search.retrieval import Retrieved


class Pipeline:
    """Answers a user's questions from that user's notes."""

    def __init__(
        self,
        *,
        config: PipelineConfig,
        tokenizer: Tokenizer,
        caches: Caches,
        lanes: Lanes,
        ladder: Ladder,
        requests: Requests,
    ) -> None:
        self._validate = partial(
            validate_question, tokenizer=tokenizer, max_tokens=config.question_tokens
        )
        self._caches = caches
        self._lanes = lanes
        self._ladder = ladder
        self._requests = requests
        self.digest = lanes.digest
        """Changes with every setting that may change an answer; 16 hex digits."""
        self.prompt_version = lanes.prompt_version
        """Of the rules in its prompts."""

    def chosen(self, options: Options) -> Pipeline:
        """The same pipeline, answers being written as `options` say, under a digest of its own.

        So no cache and no flight mixes them with others. Who pays by a key of his own is told
        that it failed, rather than given quotes.
        """
        if options == AS_CONFIGURED:
            return self
        other = copy(self)
        other._lanes = self._lanes.chosen(options)
        if options.key is not None:
            other._ladder = Ladder(None)
        other.digest = other._lanes.digest
        return other

    async def answer(self, question: str, user: str | None) -> Answer:
        """The whole answer to `question` from the notes of `user`.

        Raises:
            Unauthenticated: no user.
            InvalidInput: the question is empty or far too long.
            Unavailable, ProviderError, ConfigurationError: a part failed; see `rag_core.errors`.
        """
        with self._requests.begin(user, question) as request:
            known = await self._steps(request, question, streamed=False)
            if isinstance(known, Answer):
                return known
            async with known as flight:
                return await self._landed(request, flight)

    async def stream(self, question: str, user: str | None) -> AsyncGenerator[str | Answer, None]:
        """Pieces of the text as they are generated, then the whole Answer.

        The Answer's text is the final word: without dangling citations, and a refusal where the
        generator began to leak its rules. Raises what `answer` raises.
        """
        with self._requests.begin(user, question) as request:
            known = await self._steps(request, question, streamed=True)
            if isinstance(known, Answer):
                yield known.text
                yield known
                return
            async with known as flight:
                async with aclosing(flight.pieces()) as pieces:
                    while piece := await request.in_time(anext(pieces, None)):
                        yield piece
                answer = await self._landed(request, flight)
            yield answer

    async def retrieve(
        self, question: str, user: str | None, filters: Filters = EVERYTHING
    ) -> Retrieved:
        """Steps 1 and 3 to 5 alone: what an answer made now would rest on, attacks searched too."""
        asker, asked = authenticated(user), self._validate(question)
        lane = self._lanes.of(asked)
        ranking, usable, context = await lane.retrieval.retrieve(asker, asked, filters)
        evidence = fingerprint(asked, context, lane.digest)
        return Retrieved(ranking, usable, context, evidence, lane.retrieval.context_tokens)

    def digest_of(self, question: Question) -> str:
        """The part of `digest` that decides the answer to `question`: its class's."""
        return self._lanes.of(question).digest

    async def stats(self) -> dict[str, LevelStats]:
        """What each cache level did in this process, and how much it holds now."""
        return await self._caches.stats()

    async def _steps(self, request: Request, raw: str, *, streamed: bool) -> Answer | Flight:
        """The seven steps; from the third on, once for all who ask the same at one epoch."""
        with request.bound():
            with request.step("validate"):  # 1
                question = self._validate(raw)
                attack = find_attack(raw)
            if attack:
                request.listener(AttackRefused(attack))
                return request.finish(refusal(question, attack))
            with request.step("answer_cache"):  # 2
                lane = self._lanes.of(question)
                lookup = await self._caches.lookup(request.user, question, lane.digest)
            if known := self._caches.serve(lookup):
                return request.finish(known)

            async def find(emit: Emit) -> Answer:
                context = lane.retrieval.known(lookup)
                if context is None:
                    with request.step("embed"):  # 3
                        vector = await lane.retrieval.embed(request.user, question)
                    with request.step("retrieve"):  # 4
                        ranking = await lane.retrieval.search(request.user, question, vector)
                    with request.step("context"):  # 5
                        context = lane.retrieval.context(lookup, question, ranking)
                evidence = fingerprint(question, context, lane.digest)
                if lookup.cached and (known := await self._caches.revalidate(lookup, evidence)):
                    return known
                if not context:
                    return await keep(nothing_found(question, evidence))
                writing = partial(write, context, evidence, emit if streamed else None)
                try:
                    return await lane.generation.once(request.user, evidence, writing)
                except NO_PROVIDER as failure:
                    stale = partial(self._caches.fall_back, lookup, evidence)
                    with request.step("ladder"):
                        return await self._ladder.down(
                            failure, request.user, question, context, evidence, stale
                        )

            async def write(context: Context, evidence: str, show: Emit | None) -> Answer:
                with request.step("generate"):  # 6
                    draft = await lane.generation.draft(request.user, question, context, show)
                with request.step("check"):  # 7
                    answer = lane.generation.checked(draft, evidence)
                return await keep(answer)

            async def keep(answer: Answer) -> Answer:
                with request.step("store"), request.keeping():
                    await self._caches.put(lookup, answer, request.elapsed_ms())
                return answer

            return self._caches.join(lookup, find)

    async def _landed(self, request: Request, flight: Flight) -> Answer:
        with request.bound():
            answer = await request.in_time(flight.answer())
            return request.finish(self._caches.charge_once(flight, answer))
