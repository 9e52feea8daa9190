"""The chunks of one user that a question asks for: by vectors, by words, or by both."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import lru_cache
from typing import Any

from pgvector import SparseVector
from pgvector import Vector as PgVector

from rag_core.adapters.postgres.database import Database
from rag_core.adapters.postgres.plan import PlanNode, plan_nodes
from rag_core.adapters.postgres.search_sql import search_statement
from rag_core.adapters.postgres.tenant_sizes import TenantSizes
from rag_core.domain.books import spellings
from rag_core.domain.notes import Verses
from rag_core.domain.query import EVERYTHING, LEXICAL_WEIGHT, Filters, Query, SearchMode
from rag_core.domain.ranking import Hit, Ranking, SearchMethod
from rag_core.domain.tokens import TokenCount
from rag_core.domain.user import UserId
from rag_core.domain.words import WORD_DIMENSIONS, asked_words, dimension
from rag_core.errors import EmbedderMismatch


class PostgresRetriever:
    """Retriever over `chunk_vectors` and `chunk_words`; one round trip a search.

    Where a walk of the graph comes back with fewer chunks than were asked for, an exact search
    follows.

    Args:
        ef_search: candidates that a walk of the graph keeps.
        exact_up_to: number of chunks of a user that are scanned, even where the method is hnsw.
        lexical_weight: what a point of BM25 counts beside the cosine, in hybrid search.
    """

    def __init__(
        self,
        database: Database,
        *,
        embedder_digest: str,
        mode: SearchMode = SearchMode.DENSE,
        method: SearchMethod = SearchMethod.EXACT,
        ef_search: int = 100,
        exact_up_to: int = 0,
        lexical_weight: float = LEXICAL_WEIGHT,
    ) -> None:
        self._database = database
        self._digest = embedder_digest
        self._mode, self._method = mode, method
        self._lexical_weight = lexical_weight
        self._ef_search = ef_search
        self._sizes = TenantSizes(database, exact_up_to)

    async def search(self, user: UserId, query: Query, *, k: int) -> Ranking:
        """See `rag_core.domain.ranking.Retriever`."""
        method = await self._method_for(user)
        ranking = await self._searched(method, user, query, k)
        if not self._walks(method) or len(ranking.hits) == k:
            return ranking
        whole = await self._searched(SearchMethod.EXACT, user, query, k)
        return replace(whole, missed=max(0, len(whole.hits) - len(ranking.hits)))

    async def _searched(self, method: SearchMethod, user: UserId, query: Query, k: int) -> Ranking:
        rows = await self._fetch(method, user, query, k)
        if rows and rows[0][0] not in (None, self._digest):
            stored, method = rows[0][0], SearchMethod.EXACT
            rows = await self._fetch(method, user, query, k, beside=True)
            if not rows or rows[0][0] != self._digest:
                raise EmbedderMismatch(user, stored, self._digest)
        found = [(row[15], self._hit(row)) for row in rows if row[1] is not None]
        found.sort(key=lambda hit: (-hit[0], hit[1].note_id, hit[1].position))
        return Ranking(tuple(hit for _, hit in found), rarity=self._rarity(rows, query))

    def _rarity(self, rows: list[tuple[Any, ...]], query: Query) -> dict[str, float]:
        if self._mode is SearchMode.DENSE or not rows:
            return {}
        return dict(zip(asked_words(query.text), rows[0][16], strict=True))

    async def explain(self, user: UserId, query: Query, *, k: int) -> list[PlanNode]:
        """The plan that `search` runs by."""
        method = await self._method_for(user)
        (([found],),) = await self._fetch(method, user, query, k, explain=True)
        return list(plan_nodes(found["Plan"]))

    async def _method_for(self, user: UserId) -> SearchMethod:
        if self._walks(self._method) and not await self._sizes.larger(user):
            return SearchMethod.EXACT
        return self._method

    async def _fetch(
        self,
        method: SearchMethod,
        user: UserId,
        query: Query,
        k: int,
        *,
        explain: bool = False,
        beside: bool = False,
    ) -> list[tuple[Any, ...]]:
        parameters: dict[str, Any] = {"user": user, "vector": PgVector(query.vector)}
        parameters["embedder"] = self._digest
        if self._mode is not SearchMode.DENSE:
            parameters |= _words(query.text) | {"lexical_weight": self._lexical_weight}
        filters = query.filters or (query.named if self._mode is SearchMode.HYBRID else EVERYTHING)
        if filters:
            parameters |= _filters(filters)
        filtered = bool(query.filters)
        sql = search_statement(
            self._mode,
            method,
            k,
            filtered=filtered,
            named=bool(filters) and not filtered,
            beside=beside,
            ef_search=self._ef_search,
        )
        prefix = "EXPLAIN (ANALYZE, FORMAT JSON) " if explain else ""
        return await self._database.fetch(prefix + sql, parameters, binary=not explain)

    def _hit(self, row: tuple[Any, ...]) -> Hit:
        note_id, position, title, heading, text, start, end, author, date, tags, verses = row[1:12]
        score, tokens, tokens_of, relevance = row[12:16]
        return Hit(
            note_id=note_id,
            position=position,
            title=title,
            heading=heading,
            text=text,
            start=start,
            end=end,
            author=author,
            date=date,
            tags=tuple(tags),
            verses=_verses(verses),
            score=score,
            cost=None if tokens is None else TokenCount(tokens, tokens_of),
            bonus=relevance - score if self._mode is not SearchMode.LEXICAL else relevance,
        )

    def _walks(self, method: SearchMethod) -> bool:
        """Whether the statement goes by the graph, which may come back short."""
        return method is SearchMethod.HNSW and self._mode is not SearchMode.LEXICAL


@lru_cache(maxsize=4096)
def _verses(held: str) -> tuple[Verses, ...]:
    return tuple(Verses(*verse) for verse in json.loads(held))


def _words(question: str) -> dict[str, Any]:
    """The words a question asks by: each as a vector of one dimension, and all in one vector."""
    dimensions = [dimension(word) for word in asked_words(question)]
    return {
        "words": [SparseVector({place: 1.0}, WORD_DIMENSIONS) for place in dimensions],
        "any_word": SparseVector(dict.fromkeys(dimensions, 1.0), WORD_DIMENSIONS),
    }


def _filters(filters: Filters) -> dict[str, Any]:
    verses = [
        {"books": sorted(spellings(book)), "chapter": chapter, "first": first, "last": last}
        for book, chapter, first, last in filters.verses
    ]
    return {
        "since": filters.since,
        "until": filters.until,
        "tags": [tag.lower() for tag in filters.tags],
        "verses": json.dumps(verses),
    }
