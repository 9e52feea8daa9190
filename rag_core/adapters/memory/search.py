"""Search over chunks in this process, by every mode: what `adapters.postgres` does in SQL."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence, Set
from functools import lru_cache
from typing import TYPE_CHECKING

from msgspec.structs import replace

from rag_core.domain.chunks import Chunk
from rag_core.domain.notes import Note
from rag_core.domain.query import FUSED_DEPTH, NAMED_BONUS, Query, SearchMode
from rag_core.domain.ranking import Hit, Ranking, hit_of
from rag_core.domain.words import asked_words, dimension, word_weights

if TYPE_CHECKING:
    from rag_core.domain.ranking import Vector

_KEPT_TEXTS = 10_000

Placed = tuple[Note, Chunk, "Vector"]


def best_hits(
    placed: Sequence[Placed], query: Query, mode: SearchMode, lexical_weight: float, k: int
) -> Ranking:
    """The best `k` of a user's chunks; in hybrid search BM25 counts by `lexical_weight`."""
    hits = [hit_of(note, chunk, float(vector @ query.vector)) for note, chunk, vector in placed]
    dense = {
        at: hits[at].score for at, (note, _, _) in enumerate(placed) if query.filters.admits(note)
    }
    if mode is SearchMode.DENSE:
        return Ranking(tuple(hits[at] for at in _best(hits, dense, k)))
    texts = [chunk.embedded_text for _, chunk, _ in placed]
    relevance = {at: bm25 for at, bm25 in _bm25(texts, query.text).items() if at in dense}
    if mode is SearchMode.HYBRID:
        naming = query.named and not query.filters
        named = {at for at in dense if naming and query.named.admits(placed[at][0])}
        relevance = _fused(hits, dense, relevance, named, lexical_weight, max(FUSED_DEPTH, k))
    found = [
        replace(hits[at], bonus=relevance[at] - (dense[at] if mode is SearchMode.HYBRID else 0))
        for at in _best(hits, relevance, k)
    ]
    return Ranking(tuple(found), rarity=_rarity(texts, query.text))


def _fused(
    hits: Sequence[Hit],
    dense: Mapping[int, float],
    lexical: Mapping[int, float],
    named: Set[int],
    lexical_weight: float,
    depth: int,
) -> dict[int, float]:
    """The weighted sums of those that any side has among its `depth` best."""
    sides = (dense, lexical, {at: dense[at] for at in named})
    return {
        at: dense[at] + lexical_weight * lexical.get(at, 0.0) + NAMED_BONUS * (at in named)
        for side in sides
        for at in _best(hits, side, depth)
    }


def _rarity(texts: Sequence[str], question: str) -> dict[str, float]:
    """The idf of each word that the question asks by."""
    weights = [_weights(text) for text in texts]
    having = {w: sum(dimension(w) in words for words in weights) for w in asked_words(question)}
    return {w: math.log(1 + (len(texts) - n + 0.5) / (n + 0.5)) for w, n in having.items()}


def _bm25(texts: Sequence[str], question: str) -> dict[int, float]:
    """The BM25 of each text that shares a word with the question, by its place."""
    relevance: dict[int, float] = defaultdict(float)
    for word, idf in _rarity(texts, question).items():
        for place, text in enumerate(texts):
            if weight := _weights(text).get(dimension(word)):
                relevance[place] += idf * weight
    return relevance


@lru_cache(maxsize=_KEPT_TEXTS)
def _weights(text: str) -> dict[int, float]:
    return word_weights(text)


def _best(hits: Sequence[Hit], relevance: Mapping[int, float], k: int) -> list[int]:
    """The places of the `k` most relevant."""

    def order(place: int) -> tuple[float, str, int]:
        return -relevance[place], hits[place].note_id, hits[place].position

    return sorted(relevance, key=order)[:k]
