"""The pipeline: seven steps from a question to a cited answer."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import replace
from typing import TYPE_CHECKING

from rag_core.answer import (
    NO_CONTEXT_TEXT,
    REFUSAL_TEXT,
    Answer,
    Flag,
    Provenance,
    check_completion,
)
from rag_core.budgets import Budgets, pipeline_digest
from rag_core.cache.answers import Entry
from rag_core.cache.evidence import fingerprint
from rag_core.cache.keys import answer_key, context_key, embedding_key, flight_key
from rag_core.cache.levels import CacheLevels
from rag_core.cache.stats import LevelStats
from rag_core.clock import Clock
from rag_core.context import Context, build_context
from rag_core.cost import NO_USAGE
from rag_core.errors import ProviderUnavailable
from rag_core.events import AttackRefused, CacheLooked, LeakBlocked, Listener, Outcome
from rag_core.generation import Completion, Generator
from rag_core.guard.allowance import Allowance
from rag_core.injection import find_attack
from rag_core.leak_guard import LeakGuard
from rag_core.prompt import Prompt, assemble_prompt
from rag_core.question import Question, validate_question
from rag_core.request import Asked, Found
from rag_core.retrieval import Embedder, Ranking, Retriever
from rag_core.stopwatch import Stopwatch
from rag_core.tokens import Tokenizer
from rag_core.user import UserId, authenticated

if TYPE_CHECKING:
    from rag_core.retrieval import Vector


class Pipeline:
    """Answers a user's questions from that user's notes."""

    def __init__(
        self,
        *,
        tokenizer: Tokenizer,
        embedder: Embedder,
        retriever: Retriever,
        generator: Generator,
        caches: CacheLevels,
        budgets: Budgets,
        clock: Clock,
        listener: Listener,
        canary: str,
        retrieval_name: str,
        redis_allowance_s: float = 0.05,
    ) -> None:
        self._tokenizer = tokenizer
        self._embedder = embedder
        self._retriever = retriever
        self._generator = generator
        self._caches = caches
        self._budgets = budgets
        self._clock = clock
        self._listener = listener
        self._canary = canary
        self._redis_allowance_s = redis_allowance_s
        self.digest = pipeline_digest(budgets, generator, embedder, retrieval_name)

    async def answer(self, question: str, user: str | None) -> Answer:
        """The whole answer to `question` from the notes of `user`.

        Raises:
            Unauthenticated: no user.
            InvalidInput: the question is empty or far too long.
            Unavailable, ProviderError, ConfigurationError: a part failed; see `rag_core.errors`.
        """
        asked = await self._ask(question, user)
        if isinstance(asked, Answer):
            return asked
        # Whoever asks the same at the same epoch meanwhile gets the same answer.
        answer, led = await self._caches.local.run(
            f"{asked.key}:{asked.epoch}", lambda: self._answer_anew(asked)
        )
        if not led:
            self._caches.tell(CacheLooked("answer", "hit", saved_usd=answer.cost_usd))
            answer = _again(answer, Provenance.CACHED)
        return asked.watch.stamp(answer)

    async def stream(self, question: str, user: str | None) -> AsyncGenerator[str | Answer, None]:
        """Pieces of the text as they are generated, then the whole Answer.

        The Answer's text is the final word: it has dangling citations removed, and is a refusal
        when the generator began to leak its rules. Raises what `answer` raises.
        """
        asked = await self._ask(question, user)
        if isinstance(asked, Answer):
            yield asked.text
            yield asked
            return
        found = await self._find(asked)
        if answer := await self._without_generating(asked, found):
            yield answer.text
            yield asked.watch.stamp(answer)
            return
        prompt = self._prompt(asked, found)
        guard = LeakGuard(prompt)
        completion: Completion | None = None
        with asked.watch("generate"):
            pieces = self._generator.stream(prompt, max_tokens=self._budgets.output_tokens)
            async with aclosing(pieces):
                async for piece in pieces:
                    if isinstance(piece, Completion):
                        completion = piece
                    elif safe := guard.feed(piece):
                        yield safe
        assert completion is not None, "a generator's stream ends with its Completion"
        answer = await self._finish(asked, prompt, completion, found.evidence)
        if answer.provenance is not Provenance.REFUSED and (rest := guard.rest()):
            yield rest
        yield asked.watch.stamp(answer)

    async def retrieve(self, question: str, user: str | None) -> Ranking:
        """Steps 1, 3 and 4 alone: what would be found for `question`, below the threshold too."""
        asker = authenticated(user)
        vector = await self._embed(asker, self._validate(question))
        return await self._search(asker, vector)

    async def stats(self) -> dict[str, LevelStats]:
        """What each cache level did in this process, and how much it holds now."""
        return await self._caches.stats()

    # Step by step ---------------------------------------------------------------------------

    async def _ask(self, raw: str, user: str | None) -> Answer | Asked:
        """1 validate, 2 answer cache: an Answer when that is all it takes."""
        watch = Stopwatch(self._clock, self._listener)
        with watch("validate"):
            asker = authenticated(user)
            question = self._validate(raw)
            attack = find_attack(raw)
        if attack:
            return watch.stamp(self._refuse(question, attack))
        redis = Allowance(self._redis_allowance_s)
        with watch("answer_cache"), redis.applied():
            key = answer_key(asker, question, self.digest)
            look = await self._caches.look(asker, key)
        entry = look.entry
        if entry and entry.epoch == look.epoch and self._caches.fresh(entry):
            return watch.stamp(self._serve(entry, Provenance.CACHED))
        epoch = await self._caches.epoch(asker, look)
        return Asked(asker, question, key, look, epoch, watch, redis)

    async def _answer_anew(self, asked: Asked) -> Answer:
        """3 to 7, generating at most once in the whole fleet."""
        found = await self._find(asked)
        if answer := await self._without_generating(asked, found):
            return answer
        with asked.redis.applied():
            answer, led = await self._caches.fleet.run(
                flight_key(asked.user, found.evidence), lambda: self._generate(asked, found)
            )
        return answer if led else _again(answer, Provenance.REVALIDATED)

    async def _find(self, asked: Asked) -> Found:
        """3 embed, 4 retrieve, 5 build the context, each cached."""
        key = ""
        if asked.epoch:
            key = context_key(asked.user, asked.epoch, asked.question, self.digest)
        context = self._caches.context(key) if key else None
        if context is None:
            with asked.watch("embed"), asked.redis.applied():
                vector = await self._embed(asked.user, asked.question)
            with asked.watch("retrieve"):
                ranking = await self._search(asked.user, vector)
            with asked.watch("context"):
                context = self._build(ranking)
            if key:
                self._caches.keep_context(key, context)
        return Found(context, fingerprint(asked.question, context, self.digest))

    async def _without_generating(self, asked: Asked, found: Found) -> Answer | None:
        """A stored answer whose evidence stands, or the answer that there is nothing."""
        entry = asked.look.entry
        if entry and entry.answer.evidence == found.evidence and self._caches.fresh(entry):
            with asked.redis.applied():
                await self._caches.restamp(asked.key, asked.look, entry)
            return self._serve(entry, Provenance.REVALIDATED)
        self._caches.tell(CacheLooked("answer", "miss"))
        if found.context:
            return None
        flags = _flags(asked.question)
        answer = Answer(
            NO_CONTEXT_TEXT, Provenance.NO_CONTEXT, flags=flags, evidence=found.evidence
        )
        await self._keep(asked, answer)
        return answer

    async def _generate(self, asked: Asked, found: Found) -> Answer:
        """6 generate; an old answer whose evidence stands when no provider can."""
        prompt = self._prompt(asked, found)
        try:
            with asked.watch("generate"):
                completion = await self._generator.generate(
                    prompt, max_tokens=self._budgets.output_tokens
                )
        except ProviderUnavailable:
            entry = asked.look.entry
            if entry and entry.answer.evidence == found.evidence:
                return self._serve(entry, Provenance.STALE)
            raise
        return await self._finish(asked, prompt, completion, found.evidence)

    async def _finish(
        self, asked: Asked, prompt: Prompt, completion: Completion, evidence: str
    ) -> Answer:
        """7 check the text, price it, store it."""
        with asked.watch("check"):
            checked = check_completion(completion.text, prompt)
            if checked.leaked:
                self._listener(LeakBlocked(self._generator.name, completion.model))
            cut = (Flag.OUTPUT_TRUNCATED,) if completion.finish_reason == "length" else ()
            answer = Answer(
                text=checked.text,
                provenance=Provenance.REFUSED if checked.leaked else Provenance.FRESH,
                citations=checked.citations,
                usage=completion.usage,
                cost_usd=self._generator.prices.cost_usd(completion.usage),
                generator=self._generator.name,
                model=completion.model,
                flags=_flags(asked.question) + checked.flags + cut,
                evidence=evidence,
            )
        if not checked.leaked:
            await self._keep(asked, answer)
        return answer

    # What the steps are made of ---------------------------------------------------------------

    def _validate(self, raw: str) -> Question:
        return validate_question(
            raw, tokenizer=self._tokenizer, max_tokens=self._budgets.question_tokens
        )

    async def _embed(self, user: UserId, question: Question) -> Vector:
        key = embedding_key(user, question, self._embedder.digest)
        vector = await self._caches.vector(key)
        if vector is None:
            vector = (await self._embedder.embed([question.text]))[0]
            await self._caches.keep_vector(key, vector)
        return vector

    async def _search(self, user: UserId, vector: Vector) -> Ranking:
        return await self._retriever.search(user, vector, k=self._budgets.top_k)

    def _build(self, ranking: Ranking) -> Context:
        return build_context(
            ranking,
            tokenizer=self._tokenizer,
            max_tokens=self._budgets.context_tokens,
            min_score=self._budgets.min_score,
        )

    def _prompt(self, asked: Asked, found: Found) -> Prompt:
        return assemble_prompt(asked.question, found.context, canary=self._canary)

    async def _keep(self, asked: Asked, answer: Answer) -> None:
        with asked.watch("store"), asked.redis.applied():
            await self._caches.keep(asked.key, asked.look, answer, asked.watch.elapsed_ms())

    def _refuse(self, question: Question, attack: str) -> Answer:
        self._listener(AttackRefused(attack))
        flags = (Flag.INJECTION, *_flags(question))
        return Answer(REFUSAL_TEXT, Provenance.REFUSED, flags=flags, attack=attack)

    def _serve(self, entry: Entry, provenance: Provenance) -> Answer:
        """A stored answer, counted for what it saved."""
        self._caches.tell(
            CacheLooked("answer", _OUTCOMES[provenance], entry.took_ms, entry.answer.cost_usd)
        )
        return _again(entry.answer, provenance)


_OUTCOMES: dict[Provenance, Outcome] = {
    Provenance.CACHED: "hit",
    Provenance.REVALIDATED: "revalidated",
    Provenance.STALE: "stale",
}


def _again(answer: Answer, provenance: Provenance) -> Answer:
    """An answer given once more, free; one that said there is nothing still says so."""
    if answer.provenance is not Provenance.FRESH:
        provenance = answer.provenance
    return replace(answer, provenance=provenance, usage=NO_USAGE, cost_usd=0.0)


def _flags(question: Question) -> tuple[Flag, ...]:
    return (Flag.QUESTION_TRUNCATED,) if question.truncated else ()
