"""What is written is what is read, and what cannot be written changes nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from rag_core.domain import Query, StoredNotes, StoredVersion, TokenCount, UserId, Verses
from tests.rag_core.adapters.note_backend import DIGEST, Backend, expecting
from tests.rag_core.library import long_note, note


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


async def test_the_library_of_some_notes_has_those_alone(backend: Backend, user: UserId) -> None:
    await backend.write(user, note("grace"), note("storm"))
    assert list((await backend.store.stored_notes(user, ["storm", "none"])).notes) == ["storm"]
    assert await backend.store.stored_notes(user, []) == StoredNotes({}, DIGEST)


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
