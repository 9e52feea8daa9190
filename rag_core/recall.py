"""Answers seen again: what the answer cache still holds, if its evidence still stands."""

from __future__ import annotations

from rag_core.cache.caches import Caches
from rag_core.cache.policy import Decision, decide
from rag_core.clock import Clock
from rag_core.domain.answer import Answer, Provenance
from rag_core.domain.question import validate_question
from rag_core.domain.tokens import Tokenizer
from rag_core.domain.user import UserId
from rag_core.pipeline import Pipeline

_STANDING = (Decision.SERVE, Decision.REVALIDATE, Decision.FALL_BACK)


class Recall:
    """Looks up answers of a pipeline without asking it anew: nothing is generated, nothing counted.

    Args:
        question_tokens: of a question, at most; the pipeline's.
    """

    def __init__(
        self,
        pipeline: Pipeline,
        caches: Caches,
        *,
        tokenizer: Tokenizer,
        question_tokens: int,
        clock: Clock,
    ) -> None:
        self._pipeline, self._caches = pipeline, caches
        self._tokenizer, self._question_tokens, self._clock = tokenizer, question_tokens, clock

    async def answer(self, question: str, user: UserId) -> Answer | None:
        """The answer that is kept, by the rule by which it would be served; None where none is.

        Where notes have changed since, the evidence is retrieved again, which takes milliseconds.

        Raises:
            DatabaseUnavailable: nobody can say whether its evidence stands.
        """
        most = self._question_tokens
        asked = validate_question(question, tokenizer=self._tokenizer, max_tokens=most)
        lookup = await self._caches.lookup(user, asked, self._pipeline.digest_of(asked))
        if (cached := lookup.cached) is None:
            return None
        now = self._clock.now()
        decision = decide(cached, epoch=lookup.epoch, evidence=None, now=now)
        if decision is Decision.CHECK:
            found = await self._pipeline.retrieve(question, user)
            decision = decide(cached, epoch=lookup.epoch, evidence=found.evidence, now=now)
        return cached.answer.again(Provenance.CACHED) if decision in _STANDING else None
