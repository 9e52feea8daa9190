"""What every store of notes does, and the search over it: in memory as in Postgres."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pytest

from rag_core.domain import (
    DIMENSIONS,
    EmbeddedNote,
    Note,
    Query,
    Ranking,
    SentenceChunker,
    StoredNotes,
    StoredVersion,
    TokenCount,
    UserId,
    Verses,
)
from rag_core.errors import EmbedderMismatch
from tests.rag_core.adapters.note_backend import DIGEST, OTHER_DIGEST, Backend
from tests.rag_core.library import library, long_note, note

if TYPE_CHECKING:
    from rag_core.domain import Matrix, Vector

# What is written is what is read


async def test_an_unknown_user_has_nothing(backend: Backend, user: UserId) -> None:
    assert await backend.state(user) == (StoredNotes({}, None), [], {}, None)
    assert await backend.store.vectors(user, ["grace"]) == {}
    assert await backend.found(user, "grace") == []


async def test_notes_are_read_back_equal_in_every_field_and_in_order_of_id(
    backend: Backend, user: UserId
) -> None:
    full = note(
        "grace",
        "Grüße — “gnade” 恵み \N{PERSON WITH FOLDED HANDS}\ttabs\nand lines.",
        author="Ruth",
        date=date(2026, 5, 3),
        tags=("a, b", "{c}", '"d"'),
        verses=(Verses("1 Cor", 13, 1, 13),),
    )
    await backend.write(user, note("storm"), full)
    await backend.write(user, note("harvest"))
    assert await backend.store.read(user) == [full, note("harvest"), note("storm")]


async def test_the_library_says_version_and_chunker_of_each_note_and_the_embedder(
    backend: Backend, user: UserId
) -> None:
    await backend.write(user, note("grace"))
    await backend.store.replace(
        user, await backend.embedded(note("storm")), chunking="another", embedder=DIGEST
    )
    assert await backend.store.stored_notes(user) == StoredNotes(
        {
            "grace": StoredVersion(note("grace").version, backend.cut.name),
            "storm": StoredVersion(note("storm").version, "another"),
        },
        DIGEST,
    )


async def test_a_chunk_is_found_with_the_count_that_it_was_stored_with(
    backend: Backend, user: UserId
) -> None:
    (grace, storm) = await backend.embedded(note("grace"), note("storm"))
    cost = TokenCount(17, "0123456789abcdef")
    counted = replace(grace, chunks=tuple(replace(chunk, cost=cost) for chunk in grace.chunks))
    assert await backend.put(user, [counted, storm]) == []
    ranking = await backend.retriever.search(user, Query(storm.vectors[0]), k=9)
    assert {hit.note_id: hit.cost for hit in ranking.hits} == {"grace": cost, "storm": None}


async def test_vectors_come_back_bit_for_bit_by_the_hash_of_their_chunk(
    backend: Backend, user: UserId
) -> None:
    long, storm = await backend.embedded(long_note(), note("storm"))
    await backend.write(user, long.note, storm.note)
    kept = await backend.store.vectors(user, ["long", "never stored"])
    assert len(long.chunks) > 3
    assert set(kept) == {chunk.sha256 for chunk in long.chunks}
    for chunk, vector in zip(long.chunks, long.vectors, strict=True):
        np.testing.assert_array_equal(kept[chunk.sha256], vector, strict=True)


async def test_a_replaced_note_leaves_nothing_of_what_it_was_and_the_others_as_they_were(
    backend: Backend, user: UserId
) -> None:
    await backend.write(user, long_note(), note("storm"))
    shorter = replace(long_note(), body="Only harvest is left.")
    await backend.write(user, shorter)
    assert await backend.store.read(user) == [shorter, note("storm")]
    assert len(await backend.store.vectors(user, ["long"])) == 1
    assert sorted(await backend.found(user, "sentence number7", k=50)) == ["long", "storm"]
    assert await backend.found(user, "a storm over the lake", k=1) == ["storm"]


async def test_users_do_not_touch_each_other(
    backend: Backend, user: UserId, other_user: UserId
) -> None:
    """The same note ids, deleted and rewritten by one: the other notices nothing."""
    await backend.write(user, note("grace"), note("storm"))
    before = await backend.state(user)
    await backend.write(other_user, note("grace", "Another body."), note("storm"))
    assert await backend.store.delete(other_user, "storm")
    assert await backend.re_embed(other_user, note("grace", "Another body."))
    assert await backend.state(user) == before
    assert await backend.found(user, "storm", k=1) == ["storm"]


# Deleting


async def test_a_deleted_note_is_gone_at_once(backend: Backend, user: UserId) -> None:
    await backend.write(user, note("grace"), note("storm"))
    assert await backend.store.delete(user, "grace")
    assert list((await backend.store.stored_notes(user)).notes) == ["storm"]
    assert await backend.store.read(user) == [note("storm")]
    assert await backend.store.vectors(user, ["grace"]) == {}
    assert await backend.found(user, "unearned grace is a gift") == ["storm"]


async def test_deleting_what_is_not_there_is_false_and_changes_nothing(
    backend: Backend, user: UserId, other_user: UserId
) -> None:
    await backend.write(user, note("grace"), note("storm"))
    await backend.store.delete(user, "grace")
    before = await backend.state(user)
    assert not await backend.store.delete(user, "grace")
    assert not await backend.store.delete(user, "never there")
    assert not await backend.store.delete(other_user, "storm")
    assert await backend.state(user) == before
    assert await backend.epochs.epoch(other_user) is None


async def test_of_two_who_delete_a_note_at_once_one_has_done_it(
    backend: Backend, user: UserId
) -> None:
    await backend.write(user, note("grace"))
    done = await asyncio.gather(*(backend.store.delete(user, "grace") for _ in range(2)))
    assert sorted(done) == [False, True]


async def test_a_deleted_note_that_is_written_again_is_back(backend: Backend, user: UserId) -> None:
    await backend.write(user, note("grace"))
    await backend.store.delete(user, "grace")
    await backend.write(user, note("grace"))
    assert await backend.store.read(user) == [note("grace")]
    assert await backend.found(user, "grace") == ["grace"]


# Embedding anew


async def test_re_embedding_replaces_every_chunk_chunker_and_the_embedder(
    backend: Backend, user: UserId
) -> None:
    await backend.write(user, note("grace"), note("storm"), note("harvest"))
    await backend.store.delete(user, "harvest")
    other = replace(backend, cut=SentenceChunker(backend.cut.tokenizer, 8, 0))
    assert await other.re_embed(user, note("storm"), note("grace"))
    assert await backend.store.stored_notes(user) == StoredNotes(
        {topic: StoredVersion(note(topic).version, "anew") for topic in ("grace", "storm")},
        OTHER_DIGEST,
    )
    kept = await backend.store.vectors(user, ["grace", "storm", "harvest"])
    items = await other.embedded(note("grace"), note("storm"))
    assert set(kept) == {chunk.sha256 for item in items for chunk in item.chunks}
    assert len(kept) > 2


@pytest.mark.parametrize(
    "given",
    [
        [note("grace")],
        [note("grace"), note("storm", "As it was before.")],
        [note("grace"), note("storm"), note("harvest")],
        [],
    ],
    ids=["one missing", "one edited", "one too many", "none"],
)
async def test_re_embedding_other_notes_than_the_live_ones_is_refused_and_changes_nothing(
    backend: Backend, user: UserId, given: Sequence[Note]
) -> None:
    await backend.write(user, note("grace"), note("storm"))
    before = await backend.state(user)
    assert not await backend.re_embed(user, *given)
    assert await backend.state(user) == before


# Compare and set


def expecting(items: list[EmbeddedNote], seen: StoredNotes) -> list[EmbeddedNote]:
    """The notes as a writer has them that saw this library."""
    return [replace(item, replaces=seen.notes.get(item.note.id)) for item in items]


async def test_a_note_is_written_over_the_version_that_its_writer_saw(
    backend: Backend, user: UserId
) -> None:
    await backend.write(user, note("grace"))
    seen = await backend.store.stored_notes(user, ["grace", "storm"])
    items = await backend.embedded(note("grace", "Edited."), note("storm"))
    assert await backend.put(user, expecting(items, seen)) == []
    assert await backend.store.read(user) == [note("grace", "Edited."), note("storm")]


@pytest.mark.parametrize("meanwhile", ["edited", "deleted", "written"])
async def test_what_was_changed_meanwhile_is_left_as_it_is_and_named(
    backend: Backend, user: UserId, meanwhile: str
) -> None:
    """And the notes beside it are written."""
    if meanwhile != "written":
        await backend.write(user, note("grace"))
    seen = await backend.store.stored_notes(user)
    if meanwhile == "deleted":
        await backend.store.delete(user, "grace")
    else:
        await backend.write(user, note("grace", "Edited by someone else."))
    theirs = await backend.store.read(user)
    stored = (await backend.store.stored_notes(user)).notes.get("grace")
    items = await backend.embedded(note("grace", "An older edition."), note("storm"))
    (conflict,) = await backend.put(user, expecting(items, seen))
    assert (conflict.note_id, conflict.stored) == ("grace", stored)
    assert await backend.store.read(user) == [*theirs, note("storm")]


async def test_a_conflict_says_when_the_other_change_was_made(
    backend: Backend, user: UserId
) -> None:
    await backend.write(user, note("grace"))
    edited_after = datetime.now(UTC) - timedelta(seconds=1)
    await backend.write(user, note("grace", "Edited."))
    (edit,) = await backend.put(user, await backend.embedded(note("grace")))
    await backend.store.delete(user, "grace")
    stale = expecting(
        await backend.embedded(note("grace")), StoredNotes({"grace": edit.stored}, None)
    )
    (deletion,) = await backend.put(user, stale)
    assert edited_after <= edit.changed_at <= deletion.changed_at <= datetime.now(UTC)


async def test_where_every_note_conflicts_nothing_changes(backend: Backend, user: UserId) -> None:
    await backend.write(user, note("grace"))
    before = await backend.state(user)
    assert await backend.put(user, await backend.embedded(note("grace", "Too late.")))
    assert await backend.state(user) == before


async def test_the_library_of_some_notes_has_those_alone(backend: Backend, user: UserId) -> None:
    await backend.write(user, note("grace"), note("storm"))
    assert list((await backend.store.stored_notes(user, ["storm", "none"])).notes) == ["storm"]
    assert await backend.store.stored_notes(user, []) == StoredNotes({}, DIGEST)


# Purging


async def test_purging_removes_for_good_what_was_deleted_before(
    backend: Backend, user: UserId, other_user: UserId
) -> None:
    await backend.write(user, note("grace"), note("storm"))
    await backend.write(other_user, note("grace"))
    await backend.store.delete(user, "grace")
    later = datetime.now(UTC) + timedelta(minutes=1)
    assert await backend.store.purge(user, later - timedelta(days=1)) == 0
    assert user in await backend.store.deleted(later)
    assert other_user not in await backend.store.deleted(later)
    assert await backend.store.purge(user, later) == 1
    assert user not in await backend.store.deleted(later)
    assert await backend.store.read(user) == [note("storm")]
    await backend.write(user, note("grace"))
    assert await backend.store.read(user) == [note("grace"), note("storm")]


# One embedder a user


async def test_replacing_with_another_embedder_is_refused_and_changes_nothing(
    backend: Backend, user: UserId
) -> None:
    await backend.write(user, note("grace"))
    before = await backend.state(user)
    with pytest.raises(EmbedderMismatch) as raised:
        await backend.write(user, note("storm"), embedder=OTHER_DIGEST)
    assert (raised.value.user, raised.value.stored) == (user, DIGEST)
    assert raised.value.configured == OTHER_DIGEST
    assert await backend.state(user) == before


async def test_searching_chunks_of_another_embedder_is_refused(
    backend: Backend, user: UserId
) -> None:
    await backend.write(user, note("grace"))
    assert await backend.found(user, "grace") == ["grace"]
    assert await backend.re_embed(user, note("grace"))
    with pytest.raises(EmbedderMismatch) as raised:
        await backend.found(user, "grace")
    assert (raised.value.stored, raised.value.configured) == (OTHER_DIGEST, DIGEST)


@pytest.mark.parametrize("re_embedding", [False, True])
@pytest.mark.parametrize(
    ("kept", "problem"), [((0, 384), "zip"), ((1, 100), "expected 384 dimensions")]
)
async def test_vectors_that_cannot_be_stored_change_nothing(
    backend: Backend, user: UserId, kept: tuple[int, int], problem: str, re_embedding: bool
) -> None:
    """Too few of them, or too short: not even the good note beside it is written."""
    await backend.write(user, note("grace"), note("storm"))
    before = await backend.state(user)
    change = backend.store.re_embed if re_embedding else backend.store.replace
    good, bad = await backend.embedded(note("grace"), note("storm"))
    count, dimensions = kept
    broken = replace(bad, vectors=tuple(vector[:dimensions] for vector in bad.vectors[:count]))
    items = expecting([good, broken], await backend.store.stored_notes(user))
    with pytest.raises(Exception, match=problem):
        await change(user, items, chunking="c", embedder=DIGEST)
    assert await backend.state(user) == before


# Search


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
