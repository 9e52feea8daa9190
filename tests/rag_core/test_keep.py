"""Keeping one note: over what its writer saw, and of all who write at once one after another."""

from __future__ import annotations

import asyncio

import pytest

from rag_core.adapters.postgres import Database, PostgresNotes
from rag_core.domain import Condition, Note, Tokenizer, UserId
from rag_core.errors import EmbedderMismatch, InvalidInput, PreconditionFailed
from rag_core.ingest import Kept
from tests.rag_core.library import (
    CountingEmbedder,
    OtherEmbedder,
    half_written,
    ingest_over,
    long_note,
    note,
)

ABSENT = Condition(exists=False)


async def test_a_new_note_is_created_and_the_same_once_more_costs_nothing(
    database: Database, tokenizer: Tokenizer, user: UserId
) -> None:
    embedder = CountingEmbedder()
    ingest = ingest_over(database, tokenizer, embedder)
    assert await ingest.keep(user, long_note()) == Kept(long_note().version, created=True)
    assert await PostgresNotes(database).note(user, "long") == long_note()
    assert await half_written(database, user) == []
    calls = embedder.calls
    assert await ingest.keep(user, long_note()) == Kept(long_note().version, created=False)
    assert embedder.calls == calls


async def test_of_a_changed_note_only_new_chunks_are_embedded(
    database: Database, tokenizer: Tokenizer, user: UserId
) -> None:
    embedder = CountingEmbedder()
    ingest = ingest_over(database, tokenizer, embedder)
    old = long_note()
    await ingest.keep(user, old)
    before = len(embedder.texts)
    new = Note("long", old.title, f"{old.body} One sentence more, at the very end of it.")
    assert await ingest.keep(user, new) == Kept(new.version, created=False)
    assert 0 < len(embedder.texts) - before < before / 2


async def test_a_condition_that_does_not_hold_changes_nothing(
    database: Database, tokenizer: Tokenizer, user: UserId
) -> None:
    ingest, store = ingest_over(database, tokenizer), PostgresNotes(database)
    seen = Condition(versions=frozenset({note("grace").version}))
    with pytest.raises(PreconditionFailed):
        await ingest.keep(user, note("grace"), seen)
    assert await store.note(user, "grace") is None
    await ingest.keep(user, note("grace"), ABSENT)
    with pytest.raises(PreconditionFailed) as refused:
        await ingest.keep(user, note("grace", "Another text."), ABSENT)
    assert refused.value.stored == note("grace").version
    await ingest.keep(user, note("grace", "Another text."), seen)
    again = await ingest.keep(user, note("grace", "Another text."), seen)  # its reply was lost
    assert not again.created
    with pytest.raises(PreconditionFailed):
        await ingest.keep(user, note("grace", "A third text."), seen)
    assert await store.note(user, "grace") == note("grace", "Another text.")


async def test_of_many_who_saw_the_same_version_one_writes_and_the_others_are_told(
    database: Database, tokenizer: Tokenizer, user: UserId
) -> None:
    ingests = [ingest_over(database, tokenizer) for _ in range(2)]
    await ingests[0].keep(user, note("grace"))
    seen = Condition(versions=frozenset({note("grace").version}))
    texts = [note("grace", f"Text number{i} about grace.") for i in range(8)]
    told = await asyncio.gather(
        *(ingests[i % 2].keep(user, each, seen) for i, each in enumerate(texts)),
        return_exceptions=True,
    )
    (written,) = [each for each, result in zip(texts, told, strict=True) if _kept(result)]
    assert sum(isinstance(result, PreconditionFailed) for result in told) == 7
    assert await PostgresNotes(database).note(user, "grace") == written


async def test_who_sets_no_condition_is_never_told_of_another(
    database: Database, tokenizer: Tokenizer, user: UserId
) -> None:
    ingest = ingest_over(database, tokenizer)
    texts = [note("grace", f"Text number{i} about grace.") for i in range(8)]
    told = await asyncio.gather(*(ingest.keep(user, each) for each in texts))
    assert sum(result.created for result in told) == 1
    assert await PostgresNotes(database).note(user, "grace") in texts
    assert await half_written(database, user) == []


async def test_what_cannot_be_stored_is_refused_before_anything_is_embedded(
    database: Database, tokenizer: Tokenizer, user: UserId
) -> None:
    embedder = CountingEmbedder()
    ingest = ingest_over(database, tokenizer, embedder)
    with pytest.raises(InvalidInput, match="field body"):
        await ingest.keep(user, Note("empty", "", " "))
    await ingest.keep(user, note("storm"))
    with pytest.raises(EmbedderMismatch):
        await ingest_over(database, tokenizer, OtherEmbedder()).keep(user, note("grace"))
    assert embedder.calls == 1


def _kept(result: Kept | BaseException) -> bool:
    return isinstance(result, Kept)
