"""One embedder a user, until all notes are embedded anew."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from rag_core.domain import Note, SentenceChunker, StoredNotes, StoredVersion, UserId
from rag_core.errors import EmbedderMismatch
from tests.rag_core.adapters.note_backend import DIGEST, OTHER_DIGEST, Backend
from tests.rag_core.library import note


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
