"""From a question to its context: embed it, search the user's chunks, take what fits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rag_core.cache.caches import Caches, Lookup
from rag_core.clock import Clock
from rag_core.domain.context import Context, build_context
from rag_core.domain.pipeline_config import PipelineConfig
from rag_core.domain.query import EVERYTHING, Filters, Query
from rag_core.domain.question import Question
from rag_core.domain.ranking import Embedder, Ranking, Retriever
from rag_core.domain.tokens import Tokenizer
from rag_core.domain.user import UserId
from rag_core.events import Listener, SearchFellShort
from rag_core.search.answerability import AnswerabilityModel, usable_hits
from rag_core.search.filters import named_filters
from rag_core.throttle.concurrency import Concurrency

if TYPE_CHECKING:
    from rag_core.domain.ranking import Vector


NO_LEAST_SCORE = -1.0
"""Of a cosine: what is of use was decided before."""


@dataclass(frozen=True, slots=True)
class Retrieved:
    """What steps 3 to 5 gave for a question: every hit, and the context that was built of them."""

    ranking: Ranking
    """With the hits that are of no use."""
    usable: Ranking
    """The hits that the context was built of, before the token limit; none where it declines."""
    context: Context
    evidence: str
    """The fingerprint that an answer from this context carries."""
    context_tokens: int
    """Tokens that the context might have had; a class of questions may have a limit of its own."""


class Retrieval:
    """Steps 3 to 5 of the pipeline.

    Args:
        clock: says what day it is.
        places: a question has its turn at the embedder by them.
        name: says how is searched, where that may change what is found.
        names: look for what a question names of its notes, which hybrid search alone makes use of.
        model: decides whether the notes can answer at all; None: each hit's relevance does.
    """

    def __init__(
        self,
        *,
        config: PipelineConfig,
        tokenizer: Tokenizer,
        embedder: Embedder,
        retriever: Retriever,
        caches: Caches,
        clock: Clock,
        listener: Listener,
        places: Concurrency,
        name: str,
        names: bool = False,
        model: AnswerabilityModel | None = None,
    ) -> None:
        self._config = config
        self._tokenizer = tokenizer
        self._embedder = embedder
        self._retriever = retriever
        self._caches, self._clock = caches, clock
        self._listener, self._places = listener, places
        self._names, self._model = names, model
        self.context_tokens = config.context_tokens
        """Of a context, at most."""
        self.identity = (embedder.digest, name, model.name if model else "")
        """What decides the ranking of given notes, beside the configuration."""

    def known(self, lookup: Lookup) -> Context | None:
        """The question's context at the epoch that was read, from the cache."""
        return self._caches.get_context(lookup)

    async def embed(self, user: UserId, question: Question) -> Vector:
        """float32[384], unit length: the question's vector, from the cache where it is there.

        Raises:
            Overloaded: too many others that no cache answers are under way.
        """
        digest = self._embedder.digest
        async with self._places.turn():
            vector = await self._caches.get_vector(user, question, digest)
            if vector is None:
                vector = (await self._embedder.embed([question.text]))[0]
                await self._caches.put_vector(user, question, digest, vector)
        return vector

    async def search(
        self,
        user: UserId,
        question: Question,
        vector: Vector,
        filters: Filters = EVERYTHING,
    ) -> Ranking:
        """The `top_k` chunks of `user` that are best for `question`, whose vector is `vector`.

        Args:
            filters: only notes that meet them; what the question names by itself leads, no more.

        Raises:
            EmbedderMismatch: the user's chunks were embedded by another model.
            DatabaseUnavailable: the store cannot be reached.
        """
        query = Query(vector, question.text, filters, self._named(question))
        ranking = await self._retriever.search(user, query, k=self._config.top_k)
        if ranking.missed:
            self._listener(SearchFellShort(len(ranking.hits) - ranking.missed, ranking.missed))
        return ranking

    def _named(self, question: Question) -> Filters:
        if not self._names:
            return EVERYTHING
        today = datetime.fromtimestamp(self._clock.now(), UTC).date()
        return named_filters(question.text, today)

    def context(self, lookup: Lookup, question: Question, ranking: Ranking) -> Context:
        """Those of the ranking's hits that are of use and fit the token limit; cached."""
        context = self._build(self.usable(question, ranking))
        self._caches.put_context(lookup, context)
        return context

    async def retrieve(
        self, user: UserId, question: Question, filters: Filters = EVERYTHING
    ) -> tuple[Ranking, Ranking, Context]:
        """All three steps, no context cached; raises what `search` raises."""
        ranking = await self.search(user, question, await self.embed(user, question), filters)
        usable = self.usable(question, ranking)
        return ranking, usable, self._build(usable)

    def usable(self, question: Question, ranking: Ranking) -> Ranking:
        """The hits that an answer may rest on; see `usable_hits`."""
        return usable_hits(question.text, ranking, self._config, self._model)

    def _build(self, ranking: Ranking) -> Context:
        return build_context(
            ranking,
            tokenizer=self._tokenizer,
            max_tokens=self._config.context_tokens,
            min_score=NO_LEAST_SCORE,
        )
