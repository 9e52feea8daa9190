"""What a search by words, and by words and vectors, finds: in memory as in Postgres."""

from __future__ import annotations

import math
from dataclasses import replace
from datetime import date
from typing import Any

import numpy as np
import pytest

from rag_core.adapters.embedders import HashingEmbedder
from rag_core.domain import (
    DIMENSIONS,
    FUSED_DEPTH,
    LEXICAL_WEIGHT,
    Chunk,
    EmbeddedNote,
    Filters,
    Note,
    Query,
    UserId,
    Verses,
    WholeNoteChunker,
    word_weights,
)
from tests.rag_core.adapters.note_backend import DIGEST, Backend
from tests.rag_core.library import edited, library, note

RARE, COMMON = "habakkuk", "prophet"


async def stored(backend: Backend, user: UserId, *texts: str) -> None:
    """Notes `0`, `1`, … of one chunk each."""
    notes = [Note(str(number), "", text) for number, text in enumerate(texts)]
    items = []
    for one in notes:
        chunks: tuple[Chunk, ...] = WholeNoteChunker()(one)
        items.append(EmbeddedNote(one, chunks, tuple(await HashingEmbedder().embed([one.body]))))
    await backend.store.replace(user, items, chunking="whole", embedder=DIGEST)


async def test_a_rare_word_counts_for_more_than_a_common_one(
    lexical: Backend, user: UserId
) -> None:
    prophets = [f"The {COMMON} spoke about grain {i}" for i in range(5)]
    await stored(lexical, user, *prophets, f"{RARE} spoke about grain five")
    found = await lexical.found(user, f"Which {COMMON} was {RARE}?", k=3)
    assert found == ["5", "0", "1"]


async def test_a_word_is_rare_by_the_askers_own_notes(
    lexical: Backend, user: UserId, other_user: UserId
) -> None:
    """Whatever everybody else writes about."""
    await stored(lexical, other_user, *[f"{RARE} again {i}" for i in range(9)])
    await stored(lexical, user, f"{RARE} alone here", *[f"{COMMON} number {i}" for i in range(9)])
    assert (await lexical.found(user, f"{COMMON} {RARE}", k=1)) == ["0"]


async def test_more_of_a_word_in_less_text_is_better(lexical: Backend, user: UserId) -> None:
    filler = " ".join(f"filler{i}" for i in range(60))
    await stored(lexical, user, f"mercy {filler}", "mercy tea", "mercy mercy")
    assert await lexical.found(user, "mercy") == ["2", "1", "0"]


async def test_words_are_found_in_every_form_and_in_the_title_and_headings(
    lexical: Backend, user: UserId
) -> None:
    await lexical.write(user, Note("preacher", "Parables", "## Mustard\n\nIt grew into a tree."))
    for question in ("a parable", "PARABLES", "mustards", "what grew?", "trees"):
        assert await lexical.found(user, question) == ["preacher"], question


@pytest.mark.parametrize("question", ["", "?!", "what did I say about the", "unheard-of"])
async def test_a_question_that_shares_no_word_finds_nothing_by_words(
    lexical: Backend, user: UserId, question: str
) -> None:
    """Words that every text has, and those by which people ask for notes, are no words."""
    await stored(lexical, user, "What did I say about the sermon that I preached on the notes?")
    assert await lexical.found(user, question) == []


async def test_a_hit_by_words_has_its_cosine(lexical: Backend, user: UserId) -> None:
    await lexical.write(user, note("grace"), note("storm"))
    (vector,) = await HashingEmbedder().embed(["storm"])
    (storm,) = await lexical.embedded(note("storm"))
    (hit,) = (await lexical.retriever.search(user, Query(vector, "the storm"), k=5)).hits
    assert hit.score == pytest.approx(float(storm.vectors[0] @ vector), abs=1e-6)


async def test_words_follow_every_change_of_a_note(lexical: Backend, user: UserId) -> None:
    await lexical.write(user, note("grace"), note("storm"))
    await lexical.write(user, edited(note("storm"), "lake", "ocean"))
    assert await lexical.found(user, "lake") == []
    assert await lexical.found(user, "ocean") == ["storm"]
    await lexical.re_embed(user, note("grace"), edited(note("storm"), "lake", "ocean"))
    await lexical.store.delete(user, "storm")
    await lexical.write(user, *library(0))
    assert (await lexical.store.stored_notes(user)).notes.keys() == {"grace"}


async def test_a_deleted_note_is_found_by_no_word(lexical: Backend, user: UserId) -> None:
    await lexical.write(user, note("grace"), note("storm"))
    await lexical.store.delete(user, "storm")
    assert await lexical.found(user, "storm") == []


async def test_only_the_users_own_chunks_are_found_by_words(
    lexical: Backend, hybrid: Backend, user: UserId, other_user: UserId
) -> None:
    for backend in (lexical, hybrid):
        await backend.write(other_user, note("storm"))
        assert await backend.found(user, "storm") == []


async def test_a_note_of_very_many_words_is_found_by_its_most_frequent_ones(
    lexical: Backend, user: UserId
) -> None:
    many = " ".join(f"w{i}" for i in range(3_000))
    await stored(lexical, user, f"{many} covenant covenant")
    assert await lexical.found(user, "covenant") == ["0"]


def pointing(cosine: float) -> np.ndarray[tuple[int], np.dtype[np.float32]]:
    """A unit vector of that cosine to the first axis."""
    vector = np.zeros(DIMENSIONS, dtype=np.float32)
    vector[:2] = cosine, math.sqrt(1 - cosine**2)
    return vector


async def fused_scene(hybrid: Backend, user: UserId) -> Query:
    """By vectors the order is a, b, c, d; by words it is c, a, and no other."""
    items = []
    for name, text, cosine in (
        ("a", "mercy among other things", 0.9),
        ("b", "nothing", 0.705),
        ("c", "mercy mercy", 0.7),
        ("d", "silence", 0.6),
    ):
        (item,) = await hybrid.embedded(Note(name, "", text))
        items.append(replace(item, vectors=(pointing(cosine),)))
    await hybrid.put(user, items)
    return Query(pointing(1.0), "mercy")


async def test_hybrid_adds_the_weighed_bm25_to_the_cosine(hybrid: Backend, user: UserId) -> None:
    """c has most of the word, which makes up for 0.005 of the cosine, and not for 0.2 of it."""
    query = await fused_scene(hybrid, user)
    hits = (await hybrid.retriever.search(user, query, k=4)).hits
    assert [hit.note_id for hit in hits] == ["a", "c", "b", "d"]
    np.testing.assert_allclose([hit.score for hit in hits], [0.9, 0.7, 0.705, 0.6], atol=1e-5)
    assert 0.005 < hits[0].bonus < hits[1].bonus < 0.2
    np.testing.assert_allclose([hit.bonus for hit in hits[2:]], 0, atol=1e-9)


@pytest.mark.parametrize(("ahead", "first"), [(0.9, "words"), (1.1, "near")])
async def test_a_point_of_bm25_counts_as_much_as_the_weight_says(
    hybrid: Backend, user: UserId, ahead: float, first: str
) -> None:
    """One of two chunks has the word once, in one word: BM25 is ln(2) times its weight."""
    (weight,) = word_weights("mercy").values()
    worth = LEXICAL_WEIGHT * math.log(2) * weight
    items = []
    for name, text, cosine in (("words", "mercy", 0.5), ("near", "silence", 0.5 + ahead * worth)):
        (item,) = await hybrid.embedded(Note(name, "", text))
        items.append(replace(item, vectors=(pointing(cosine),)))
    await hybrid.put(user, items)
    hits = (await hybrid.retriever.search(user, Query(pointing(1.0), "mercy"), k=2)).hits
    assert hits[0].note_id == first


async def test_a_chunk_that_only_words_find_is_among_the_fused(
    hybrid: Backend, user: UserId
) -> None:
    """It is nearer to the question than nothing: 60 others are nearer, and have no word of it."""
    items = []
    for number in range(FUSED_DEPTH + 10):
        (item,) = await hybrid.embedded(Note(f"near{number}", "", "silence"))
        items.append(replace(item, vectors=(pointing(0.3),)))
    (item,) = await hybrid.embedded(Note("words", "", "mercy"))
    items.append(replace(item, vectors=(pointing(0.299),)))
    await hybrid.put(user, items)
    hits = (await hybrid.retriever.search(user, Query(pointing(1.0), "mercy"), k=5)).hits
    assert hits[0].note_id == "words"


async def test_the_first_hits_of_more_are_the_hits_of_fewer(hybrid: Backend, user: UserId) -> None:
    query = await fused_scene(hybrid, user)
    four = (await hybrid.retriever.search(user, query, k=4)).hits
    two = (await hybrid.retriever.search(user, query, k=2)).hits
    assert two == four[:2]


async def test_hybrid_finds_more_than_it_fuses_where_more_is_asked_for(
    hybrid: Backend, user: UserId
) -> None:
    await hybrid.write(user, *library(70))
    assert len(await hybrid.found(user, "nothing of that", k=65)) == 65


# Filters


async def scoped_scene(backend: Backend, user: UserId) -> None:
    """Four notes on the same; what they are of is all that tells them apart."""
    romans = (Verses("Rom", 8, 1, 11),)
    others = (Verses("Rom", 9, 1, 5),)
    await backend.write(
        user,
        same("autumn", date=date(2025, 10, 5), tags=("Grace",), verses=romans),
        same("spring", date=date(2025, 4, 1), tags=("grace", "x")),
        same("undated", verses=(Verses("Romans", 8, 12, 17), *romans)),
        same("other", date=date(2024, 10, 5), verses=others),
    )


def same(name: str, **fields: Any) -> Note:
    return Note(name, "", "mercy rejoices", **fields)


FILTERS = [
    Filters(since=date(2025, 9, 1), until=date(2025, 11, 30)),
    Filters(until=date(2025, 4, 1)),
    Filters(tags=("grace",)),
    Filters(tags=("GRACE", "x")),
    Filters(verses=(Verses("Romans", 8, 0, 0),)),
    Filters(verses=(Verses("rm", 8, 15, 15), Verses("Rom", 9, 5, 9))),
    Filters(verses=(Verses("Romans", 8, 0, 0),), since=date(2025, 9, 1)),
    Filters(tags=("nobody's",)),
]


async def only_admitted_notes_are_found(backend: Backend, user: UserId) -> None:
    await scoped_scene(backend, user)
    (vector,) = await HashingEmbedder().embed(["mercy"])
    notes = await backend.store.read(user)
    for filters in FILTERS:
        query = Query(vector, "mercy", filters=filters)
        found = {hit.note_id for hit in (await backend.retriever.search(user, query, k=9)).hits}
        assert found == {note.id for note in notes if filters.admits(note)}, filters


async def test_only_notes_that_meet_the_filters_are_found(backend: Backend, user: UserId) -> None:
    await only_admitted_notes_are_found(backend, user)


async def test_they_alone_are_found_by_words(lexical: Backend, user: UserId) -> None:
    await only_admitted_notes_are_found(lexical, user)


async def test_they_alone_are_found_by_both(hybrid: Backend, user: UserId) -> None:
    await only_admitted_notes_are_found(hybrid, user)


async def test_notes_that_the_question_names_come_first_and_the_others_after(
    hybrid: Backend, user: UserId
) -> None:
    await scoped_scene(hybrid, user)
    (vector,) = await HashingEmbedder().embed(["mercy"])
    named = Query(vector, "mercy", named=Filters(verses=(Verses("Rom", 8, 12, 12),)))
    found = (await hybrid.retriever.search(user, named, k=9)).hits
    assert found[0].note_id == "undated"
    assert len(found) == 4
    nobodys = Query(vector, "mercy", named=Filters(tags=("nobody's",)))
    plain = Query(vector, "mercy")
    assert await hybrid.retriever.search(user, nobodys, k=9) == await hybrid.retriever.search(
        user, plain, k=9
    )


async def test_a_search_that_reads_words_says_how_rare_each_is(
    backend: Backend, lexical: Backend, hybrid: Backend, user: UserId
) -> None:
    """ln(1 + (n - having + 0.5) / (having + 0.5)), for a word that nobody has written, too."""
    texts = ("mercy rejoices", "mercy and rain", "silence")
    expected = {
        "merci": math.log(1 + 1.5 / 2.5),
        "rain": math.log(1 + 2.5 / 1.5),
        "unheard": math.log(1 + 3.5 / 0.5),
    }
    for each in (lexical, hybrid):
        await stored(each, user, *texts)
        query = Query(pointing(1.0), "Mercy, rain, unheard")
        rarity = (await each.retriever.search(user, query, k=1)).rarity
        assert rarity == pytest.approx(expected)
    await stored(backend, user, *texts)
    assert (await backend.retriever.search(user, query, k=1)).rarity == {}
