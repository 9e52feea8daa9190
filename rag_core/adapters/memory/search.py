"""Search over chunks in this process, by every mode: what `adapters.postgres` does in SQL."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from typing import TYPE_CHECKING

from rag_core.domain.chunks import Chunk
from rag_core.domain.notes import Note
from rag_core.domain.query import FUSED_DEPTH, RRF_K, Query, SearchMode
from rag_core.domain.ranking import Hit, Ranking, hit_of
from rag_core.domain.words import asked_words, dimension, word_weights

if TYPE_CHECKING:
    from rag_core.domain.ranking import Vector

_KEPT_TEXTS = 10_000

Placed = tuple[Note, Chunk, "Vector"]


def best_hits(placed: Sequence[Placed], query: Query, mode: SearchMode, k: int) -> Ranking:
    """The best `k` of a user's chunks."""
    hits = [hit_of(note, chunk, float(vector @ query.vector)) for note, chunk, vector in placed]
    best = _best(hits, _relevance(placed, hits, query, mode, k), k)
    rarity = {} if mode is SearchMode.DENSE else _rarity(_texts(placed), query.text)
    return Ranking(tuple(hits[place] for place in best), rarity=rarity)


def _relevance(
    placed: Sequence[Placed], hits: Sequence[Hit], query: Query, mode: SearchMode, k: int
) -> dict[int, float]:
    """What decides the order, by the place of each chunk that can be found."""
    admitted = {at for at, (note, _, _) in enumerate(placed) if query.filters.admits(note)}
    dense = {at: hits[at].score for at in admitted}
    if mode is SearchMode.DENSE:
        return dense
    bm25 = _bm25(_texts(placed), query.text)
    lexical = {at: value for at, value in bm25.items() if at in admitted}
    if mode is SearchMode.LEXICAL:
        return lexical
    sides = [dense, lexical]
    if query.named and not query.filters:
        sides.append({at: dense[at] for at in dense if query.named.admits(placed[at][0])})
    return _fused([_best(hits, side, max(FUSED_DEPTH, k)) for side in sides])


def _texts(placed: Sequence[Placed]) -> list[str]:
    return [chunk.embedded_text for _, chunk, _ in placed]


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


def _fused(sides: Sequence[Sequence[int]]) -> dict[int, float]:
    relevance: dict[int, float] = defaultdict(float)
    for side in sides:
        for rank, place in enumerate(side, start=1):
            relevance[place] += 1 / (RRF_K + rank)
    return relevance


def _best(hits: Sequence[Hit], relevance: dict[int, float], k: int) -> list[int]:
    """The places of the `k` most relevant."""

    def order(place: int) -> tuple[float, str, int]:
        return -relevance[place], hits[place].note_id, hits[place].position

    return sorted(relevance, key=order)[:k]
