"""The user's own nearest chunks are found, best first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rag_core.domain import (
    DIMENSIONS,
    EmbeddedNote,
    Query,
    Ranking,
    SentenceChunker,
    UserId,
    Verses,
)
from tests.rag_core.adapters.note_backend import DIGEST, Backend
from tests.rag_core.library import library, note

if TYPE_CHECKING:
    from rag_core.domain import Matrix, Vector


def unit_vectors(count: int, seed: int) -> Matrix:
    drawn = np.random.default_rng(seed).standard_normal((count, DIMENSIONS)).astype(np.float32)
    unit: Matrix = drawn / np.linalg.norm(drawn, axis=1, keepdims=True)
    return unit


async def with_vectors(backend: Backend, user: UserId, vectors: Sequence[Vector]) -> list[str]:
    """Store a note of one chunk for each vector, and name them in that order."""
    notes = library(len(vectors))
    whole = replace(backend, cut=SentenceChunker(backend.cut.tokenizer, 200, 0))
    items = [
        EmbeddedNote(item.note, item.chunks, (vector,))
        for item, vector in zip(await whole.embedded(*notes), vectors, strict=True)
    ]
    await backend.store.replace(user, items, chunking="whole", embedder=DIGEST)
    return [note.id for note in notes]


async def test_the_k_nearest_are_found_best_first_with_their_cosine(
    backend: Backend, user: UserId
) -> None:
    vectors, question = unit_vectors(40, seed=1), unit_vectors(1, seed=2)[0]
    ids = await with_vectors(backend, user, list(vectors))
    cosines = vectors.astype(np.float64) @ question
    best = np.argsort(-cosines)
    for k in (1, 7, 40, 100):
        hits = (await backend.retriever.search(user, Query(question), k=k)).hits
        assert [hit.note_id for hit in hits] == [ids[i] for i in best[:k]]
        np.testing.assert_allclose([hit.score for hit in hits], cosines[best[:k]], atol=1e-5)


async def test_only_the_users_own_chunks_are_found(
    backend: Backend, user: UserId, other_user: UserId
) -> None:
    """Even where another user's are nearer."""
    question = unit_vectors(1, seed=3)[0]
    await with_vectors(backend, other_user, [question] * 5)
    ids = await with_vectors(backend, user, [-question])
    (hit,) = (await backend.retriever.search(user, Query(question), k=5)).hits
    assert hit.note_id == ids[0]
    assert hit.score == pytest.approx(-1.0, abs=1e-5)


async def test_a_hit_carries_what_a_prompt_says_of_its_note(backend: Backend, user: UserId) -> None:
    body = "## On land\n\nHarvest was ripe.\n\n## By the lake\n\nA storm rose over the lake."
    verses = (Verses("Mark", 4, 35, 41), Verses("Luke", 8, 22, 25))
    kept = note("storm", body, author="Ruth", date=date(2026, 5, 3), tags=("fear",), verses=verses)
    await backend.write(user, kept)
    (item,) = await backend.embedded(kept)
    found = (await backend.retriever.search(user, Query(item.vectors[1]), k=1)).hits[0]
    assert (found.note_id, found.position, found.chunk_id) == ("storm", 1, "storm#1")
    assert (found.title, found.heading) == ("On storm", "By the lake")
    assert (found.author, found.date, found.tags) == ("Ruth", date(2026, 5, 3), ("fear",))
    assert found.verses == verses
    assert body[found.start : found.end] == found.text == "A storm rose over the lake."


async def test_where_every_note_is_deleted_nothing_is_found(backend: Backend, user: UserId) -> None:
    await backend.write(user, note("grace"))
    await backend.store.delete(user, "grace")
    query = Query(unit_vectors(1, seed=3)[0], "unearned grace")
    assert await backend.retriever.search(user, query, k=5) == Ranking()
