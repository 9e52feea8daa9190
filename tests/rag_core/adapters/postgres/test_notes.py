"""The note store: whole notes, one epoch a change, one embedder a user."""

from __future__ import annotations

import asyncio
from datetime import date

import numpy as np
import pytest

from rag_core.adapters.embedders.hashing import HashingEmbedder
from rag_core.adapters.postgres.epochs import PostgresEpochs
from rag_core.adapters.postgres.notes import PostgresNotes
from rag_core.adapters.postgres.pool import Pool
from rag_core.adapters.postgres.search import PostgresRetriever
from rag_core.cache.epochs import Epoch
from rag_core.chunks import SentenceChunker, WholeNoteChunker
from rag_core.errors import EmbedderMismatch
from rag_core.notes import Note, Verses
from rag_core.retrieval import Embedder
from rag_core.store import EmbeddedNote, StoredVersion
from rag_core.tokens import Tokenizer
from rag_core.user import UserId
from tests.rag_core.library import OtherEmbedder, ingest_over, library, note, rows


async def embedded(*notes: Note, embedder: Embedder | None = None) -> list[EmbeddedNote]:
    """Each note as one chunk."""
    cut = [WholeNoteChunker()(note) for note in notes]
    vectors = await (embedder or HashingEmbedder()).embed([one.embedded_text for (one,) in cut])
    return [
        EmbeddedNote(note, chunks, (vector,))
        for note, chunks, vector in zip(notes, cut, vectors, strict=True)
    ]


async def replace(store: PostgresNotes, user: UserId, *notes: Note) -> None:
    digest = HashingEmbedder().digest
    await store.replace(user, await embedded(*notes), chunking="whole-1", embedder=digest)


async def test_an_unknown_user_has_an_empty_library_and_no_epoch(pool: Pool, user: UserId) -> None:
    store = PostgresNotes(pool)
    library = await store.library(user)
    assert (library.notes, library.embedder) == ({}, None)
    assert await store.read(user) == []
    assert await PostgresEpochs(pool).epoch(user) is None


async def test_what_is_written_is_read_back(pool: Pool, user: UserId) -> None:
    store = PostgresNotes(pool)
    full = note(
        "grace",
        "Grüße — “gnade” 恵み \N{PERSON WITH FOLDED HANDS}\ttabs\nand lines.",
        author="Ruth",
        date=date(2026, 5, 3),
        tags=("a, b", "{c}", '"d"'),
        verses=(Verses("1 Cor", 13, 1, 13),),
    )
    bare = note("storm")
    await replace(store, user, full, bare)
    assert await store.read(user) == [full, bare]
    library = await store.library(user)
    assert library.embedder == HashingEmbedder().digest
    assert library.notes == {
        "grace": StoredVersion(full.version, "whole-1"),
        "storm": StoredVersion(bare.version, "whole-1"),
    }


async def test_stored_vectors_come_back_bit_for_bit_by_the_hash_of_their_chunk(
    pool: Pool, user: UserId
) -> None:
    store = PostgresNotes(pool)
    grace, storm = await embedded(note("grace"), note("storm"))
    await replace(store, user, grace.note, storm.note)
    kept = await store.vectors(user, ["grace", "never stored"])
    assert list(kept) == [grace.chunks[0].sha256]
    np.testing.assert_array_equal(kept[grace.chunks[0].sha256], grace.vectors[0])


async def test_every_change_makes_a_new_epoch_and_nothing_else_does(
    pool: Pool, user: UserId, other_user: UserId
) -> None:
    store = PostgresNotes(pool)
    await replace(store, other_user, note("grace"))
    theirs = await PostgresEpochs(pool).epoch(other_user)
    epochs: list[Epoch | None] = [await PostgresEpochs(pool).epoch(user)]
    await replace(store, user, note("grace"), note("storm"))
    epochs.append(await PostgresEpochs(pool).epoch(user))
    await replace(store, user, note("grace", "Another body."))
    epochs.append(await PostgresEpochs(pool).epoch(user))
    assert await store.delete(user, "grace")
    epochs.append(await PostgresEpochs(pool).epoch(user))
    assert await store.re_embed(
        user, await embedded(note("storm")), chunking="whole-1", embedder="f" * 64
    )
    epochs.append(await PostgresEpochs(pool).epoch(user))
    assert len(set(epochs)) == 5

    await store.library(user)
    await store.read(user)
    await store.vectors(user, ["storm"])
    assert not await store.delete(user, "grace")
    assert not await store.delete(user, "never there")
    assert await PostgresEpochs(pool).epoch(user) == epochs[-1]
    assert await PostgresEpochs(pool).epoch(other_user) == theirs


async def test_deleting_a_note_of_an_unknown_user_makes_no_user(pool: Pool, user: UserId) -> None:
    store = PostgresNotes(pool)
    assert not await store.delete(user, "grace")
    assert await PostgresEpochs(pool).epoch(user) is None


async def test_a_deleted_note_is_kept_softly_and_not_found_from_then_on(
    pool: Pool, user: UserId
) -> None:
    store = PostgresNotes(pool)
    await replace(store, user, note("grace"), note("storm"))
    assert await store.delete(user, "grace")
    retriever = PostgresRetriever(pool, embedder_digest=HashingEmbedder().digest)
    question = (await HashingEmbedder().embed(["unearned grace is a gift"]))[0]
    ranking = await retriever.search(user, question, k=5)
    assert [hit.note_id for hit in ranking.hits] == ["storm"]
    assert list((await store.library(user)).notes) == ["storm"]
    assert [kept.id for kept in await store.read(user)] == ["storm"]
    kept = await rows(
        pool, "SELECT body FROM notes WHERE user_id = %s AND deleted_at IS NOT NULL", user
    )
    assert kept == [(note("grace").body,)]


async def test_deleting_touches_only_the_notes_own_user(
    pool: Pool, user: UserId, other_user: UserId
) -> None:
    store = PostgresNotes(pool)
    await replace(store, user, note("grace"))
    await replace(store, other_user, note("grace"))
    assert await store.delete(user, "grace")
    assert await store.read(other_user) == [note("grace")]


async def test_writing_a_deleted_note_revives_it(pool: Pool, user: UserId) -> None:
    store = PostgresNotes(pool)
    await replace(store, user, note("grace"))
    await store.delete(user, "grace")
    await replace(store, user, note("grace"))
    assert await store.read(user) == [note("grace")]


async def test_a_second_embedder_is_refused_and_changes_nothing(pool: Pool, user: UserId) -> None:
    store = PostgresNotes(pool)
    await replace(store, user, note("grace"))
    epoch = await PostgresEpochs(pool).epoch(user)
    with pytest.raises(EmbedderMismatch):
        await store.replace(
            user, await embedded(note("storm")), chunking="whole-1", embedder="f" * 64
        )
    assert await store.read(user) == [note("grace")]
    assert await PostgresEpochs(pool).epoch(user) == epoch


async def test_a_replace_that_fails_leaves_what_was_there(pool: Pool, user: UserId) -> None:
    """A chunk that cannot be written takes the whole transaction with it."""
    store = PostgresNotes(pool)
    await replace(store, user, note("grace"))
    epoch = await PostgresEpochs(pool).epoch(user)
    (item,) = await embedded(note("grace", "Another body."))
    broken = EmbeddedNote(item.note, item.chunks, (item.vectors[0][:100],))
    with pytest.raises(Exception, match="expected 384 dimensions"):
        await store.replace(user, [broken], chunking="whole-1", embedder=HashingEmbedder().digest)
    assert await store.read(user) == [note("grace")]
    assert await rows(pool, "SELECT count(*) FROM note_chunks WHERE user_id = %s", user) == [(1,)]
    assert await PostgresEpochs(pool).epoch(user) == epoch


async def test_re_embedding_notes_that_have_changed_meanwhile_writes_nothing(
    pool: Pool, user: UserId
) -> None:
    store = PostgresNotes(pool)
    await replace(store, user, note("grace"), note("storm"))
    seen = await embedded(*await store.read(user), embedder=OtherEmbedder())
    await replace(store, user, note("grace", "Edited meanwhile."))
    await store.delete(user, "storm")
    epoch = await PostgresEpochs(pool).epoch(user)
    assert not await store.re_embed(user, seen, chunking="whole-1", embedder=OtherEmbedder().digest)
    assert await store.read(user) == [note("grace", "Edited meanwhile.")]
    assert (await store.library(user)).embedder == HashingEmbedder().digest
    assert await PostgresEpochs(pool).epoch(user) == epoch


class RecordingBoard:
    """Notes what it is told, and whether the change could be seen by then."""

    def __init__(self, pool: Pool) -> None:
        self._epochs = PostgresEpochs(pool)
        self.seen: list[tuple[str, Epoch, bool]] = []

    async def announce(self, user: UserId, epoch: Epoch) -> bool:
        self.seen.append(("announced", epoch, await self._epochs.epoch(user) == epoch))
        return True

    async def confirm(self, user: UserId, epoch: Epoch) -> None:
        self.seen.append(("confirmed", epoch, await self._epochs.epoch(user) == epoch))


async def test_a_change_is_announced_before_it_is_visible_and_confirmed_after(
    pool: Pool, user: UserId
) -> None:
    board = RecordingBoard(pool)
    store = PostgresNotes(pool, board=board)
    await replace(store, user, note("grace"))
    epoch = await PostgresEpochs(pool).epoch(user)
    assert board.seen == [("announced", epoch, False), ("confirmed", epoch, True)]


async def test_a_change_that_fails_is_never_confirmed(pool: Pool, user: UserId) -> None:
    board = RecordingBoard(pool)
    store = PostgresNotes(pool, board=board)
    await replace(store, user, note("grace"))
    with pytest.raises(EmbedderMismatch):
        await store.replace(user, await embedded(note("storm")), chunking="c", embedder="f" * 64)
    assert not await store.re_embed(user, [], chunking="c", embedder="f" * 64)
    assert [what for what, *_ in board.seen] == ["announced", "confirmed", "announced", "announced"]


async def test_many_writers_of_one_user_take_turns(
    pool: Pool, tokenizer: Tokenizer, user: UserId
) -> None:
    """Eight edits of the same note at once: one of them stands, whole."""
    store = PostgresNotes(pool)
    editions = [note("grace", f"Edition {i}. " + "Words follow. " * i) for i in range(8)]
    await asyncio.gather(*(replace(store, user, edition) for edition in editions))
    (kept,) = await store.read(user)
    chunks = await rows(pool, "SELECT text FROM note_chunks WHERE user_id = %s", user)
    assert kept in editions
    assert chunks == [(kept.body,)]


async def test_a_chunker_of_another_name_is_another_version(
    pool: Pool, tokenizer: Tokenizer, user: UserId
) -> None:
    store = PostgresNotes(pool)
    await ingest_over(pool, tokenizer, chunk_tokens=60).run(user, library(3))
    names = {version.chunking for version in (await store.library(user)).notes.values()}
    assert names == {SentenceChunker(tokenizer, 60, 10).name}


async def test_an_epoch_is_held_still_within_the_block(pool: Pool, user: UserId) -> None:
    """A writer waits for the holder, and the holder never for a writer: it learns nothing then."""
    store, epochs = PostgresNotes(pool), PostgresEpochs(pool)
    await replace(store, user, note("grace"))
    async with epochs.hold(user) as held:
        assert held == await epochs.epoch(user)
        writing = asyncio.create_task(replace(store, user, note("storm")))
        while not await _someone_waits_for_the_lock(pool):
            assert await epochs.epoch(user) == held
    await writing
    assert await epochs.epoch(user) != held


async def test_no_epoch_is_held_while_a_change_is_in_flight(pool: Pool, user: UserId) -> None:
    epochs = PostgresEpochs(pool)
    seen: list[Epoch | None] = []

    class Looking:
        async def announce(self, user: UserId, epoch: Epoch) -> bool:
            async with epochs.hold(user) as held:
                seen.append(held)
            return True

        async def confirm(self, user: UserId, epoch: Epoch) -> None:
            async with epochs.hold(user) as held:
                seen.append(held)

    await replace(PostgresNotes(pool), user, note("grace"))
    await replace(PostgresNotes(pool, board=Looking()), user, note("storm"))
    assert seen == [None, await epochs.epoch(user)]


async def _someone_waits_for_the_lock(pool: Pool) -> bool:
    ((waiting,),) = await rows(
        pool, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    )
    return bool(waiting)
