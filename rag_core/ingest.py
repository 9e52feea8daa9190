"""Ingest: notes in, embedded chunks out; only what changed is embedded and written."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from rag_core.cancelling import cancel_for_good
from rag_core.domain.chunks import Chunk, Chunker
from rag_core.domain.condition import ALWAYS, Condition
from rag_core.domain.context import count_chunk
from rag_core.domain.note_store import Conflict, EmbeddedNote, NoteStore, StoredNotes, StoredVersion
from rag_core.domain.notes import Note, check_note
from rag_core.domain.ranking import Embedder
from rag_core.domain.tokens import Tokenizer
from rag_core.domain.user import UserId
from rag_core.errors import EmbedderMismatch

if TYPE_CHECKING:
    from rag_core.domain.ranking import Vector

BATCH_CHUNKS = 256
"""Chunks embedded together and written in one transaction: a few seconds of work to lose."""

Progress = Callable[[int], object]


@dataclass(frozen=True, slots=True)
class IngestReport:
    """How many notes and chunks an ingest read, wrote and embedded."""

    notes_read: int
    notes_written: int
    chunks_written: int
    chunks_embedded: int
    skipped: tuple[str, ...] = ()
    """Ids of notes that someone else changed or deleted meanwhile; theirs stands."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A note that is stored now as its writer wanted it."""

    version: str
    created: bool
    """Whether there was none of its id before."""


@dataclass(frozen=True, slots=True)
class _Cut:
    note: Note
    chunks: tuple[Chunk, ...]


class Ingest:
    """Brings a user's stored notes up to date with the notes given.

    Args:
        tokenizer: counts what each chunk takes of a context, once and for all questions; None:
            they are counted when they are found.
    """

    def __init__(
        self,
        *,
        store: NoteStore,
        embedder: Embedder,
        chunker: Chunker,
        tokenizer: Tokenizer | None = None,
    ) -> None:
        self._store = store
        self._embedder = embedder
        self._chunker = chunker
        self._tokenizer = tokenizer

    async def run(
        self,
        user: UserId,
        notes: Sequence[Note],
        *,
        as_of: datetime | None = None,
        progress: Progress = lambda notes: None,
    ) -> IngestReport:
        """Write the notes that are new, changed or were deleted; the others cost nothing.

        A note is written only over the version that this run saw when it began. One that was
        changed meanwhile is skipped and reported, unless what we have is newer.

        Embedding of one batch overlaps with writing the batch before. A crash leaves whole notes
        only, and running again completes the rest.

        Args:
            as_of: when the notes given were last changed, a file's time of change say; aware.
            progress: called with the number of notes just finished.

        Raises:
            InvalidInput: a note cannot be stored; names it, the field and the fix.
            EmbedderMismatch: the user's stored chunks come from another embedder.
        """
        for note in notes:
            check_note(note)
        library = await self._store.stored_notes(user, [note.id for note in notes])
        self._check_embedder(user, library)
        changed = await asyncio.to_thread(self._changed, notes, library)
        progress(len(notes) - len(changed))
        known = [note.id for note in changed if note.id in library.notes]
        kept = await self._kept(user, known) if known else {}
        embedded = written = 0
        skipped: list[Conflict] = []
        writing: asyncio.Task[list[Conflict]] | None = None
        batches = self._batches(changed)
        try:
            while batch := await asyncio.to_thread(next, batches, None):
                fresh = await self._embed_missing(batch, kept)
                items = [_embedded(cut, kept | fresh, library) for cut in batch]
                if writing:
                    skipped += await writing
                writing = asyncio.create_task(self._write(user, items, as_of, progress))
                embedded += len(fresh)
                written += sum(len(item.chunks) for item in items)
            if writing:
                skipped += await writing
        finally:
            if writing and not writing.done():
                await cancel_for_good(writing)
        names = tuple(conflict.note_id for conflict in skipped)
        return IngestReport(len(notes), len(changed) - len(names), written, embedded, names)

    async def keep(self, user: UserId, note: Note, condition: Condition = ALWAYS) -> Kept:
        """Store one note over what meets the condition; the same once more costs nothing.

        Raises:
            InvalidInput: the note cannot be stored; names the field and the fix.
            PreconditionFailed: what is stored does not meet the condition.
            EmbedderMismatch: the user's stored chunks come from another embedder.
        """
        check_note(note)
        vectors: dict[str, Vector] = {}
        while True:  # until nobody else changes the note between our look and our write
            library = await self._store.stored_notes(user, [note.id])
            self._check_embedder(user, library)
            stored = library.notes.get(note.id)
            again = stored == self._stored(note)  # who did not hear of its success, sends it again
            if not again or condition.exists is False:
                condition.check(stored.version if stored else None)
            if again:
                return Kept(note.version, created=False)
            item = await self._one_embedded(user, note, library, vectors)
            if not await self._replace(user, [item]):
                return Kept(note.version, created=stored is None)

    async def embedded(self, user: UserId, note: Note) -> EmbeddedNote:
        """The note, to be stored by somebody else; what is stored of it is not embedded again.

        Raises:
            InvalidInput: the note cannot be stored; names the field and the fix.
            EmbedderMismatch: the user's stored chunks come from another embedder.
        """
        check_note(note)
        library = await self._store.stored_notes(user, [note.id])
        self._check_embedder(user, library)
        return await self._one_embedded(user, note, library, {})

    @property
    def chunking(self) -> str:
        """The name of the chunker."""
        return self._chunker.name

    @property
    def embedder(self) -> str:
        """The digest of the embedder."""
        return self._embedder.digest

    async def re_embed(
        self, user: UserId, *, progress: Progress = lambda notes: None
    ) -> IngestReport:
        """Cut and embed all of the user's notes anew, and replace their chunks in one step.

        Notes that change meanwhile are read and embedded again before anything is written.
        """
        vectors: dict[str, Vector] = {}
        while True:
            notes = await self._store.read(user)
            items: list[EmbeddedNote] = []
            batches = self._batches(notes)
            while batch := await asyncio.to_thread(next, batches, None):
                vectors |= await self._embed_missing(batch, vectors)
                items += [_embedded(cut, vectors, StoredNotes({}, None)) for cut in batch]
                progress(len(batch))
            if await self._store.re_embed(
                user, items, chunking=self._chunker.name, embedder=self._embedder.digest
            ):
                break
        chunks = sum(len(item.chunks) for item in items)
        return IngestReport(len(notes), len(notes), chunks, len(vectors))

    async def _one_embedded(
        self, user: UserId, note: Note, library: StoredNotes, vectors: dict[str, Vector]
    ) -> EmbeddedNote:
        """The note with its vectors: of those given, of what is stored, and new ones."""
        if note.id in library.notes:
            vectors |= await self._kept(user, [note.id])
        batch = await asyncio.to_thread(list, self._batches([note]))
        vectors |= await self._embed_missing(batch[0], vectors)
        return _embedded(batch[0][0], vectors, library)

    def _check_embedder(self, user: UserId, library: StoredNotes) -> None:
        stored, ours = library.embedder, self._embedder.digest
        if stored is not None and stored != ours and ours not in library.beside:
            raise EmbedderMismatch(user, stored, ours)

    async def _kept(self, user: UserId, note_ids: Sequence[str]) -> dict[str, Vector]:
        return await self._store.vectors(user, note_ids, embedder=self._embedder.digest)

    def _changed(self, notes: Sequence[Note], library: StoredNotes) -> list[Note]:
        return [note for note in notes if library.notes.get(note.id) != self._stored(note)]

    def _stored(self, note: Note) -> StoredVersion:
        return StoredVersion(note.version, self._chunker.name)

    def _batches(self, notes: Sequence[Note]) -> Iterator[list[_Cut]]:
        """Whole notes, about `BATCH_CHUNKS` chunks at a time; cutting them takes CPU time."""
        batch: list[_Cut] = []
        for note in notes:
            batch.append(_Cut(note, self._cut(note)))
            if sum(len(cut.chunks) for cut in batch) >= BATCH_CHUNKS:
                yield batch
                batch = []
        if batch:
            yield batch

    def _cut(self, note: Note) -> tuple[Chunk, ...]:
        chunks, tokenizer = self._chunker(note), self._tokenizer
        if tokenizer is None:
            return chunks
        return tuple(count_chunk(note, chunk, tokenizer) for chunk in chunks)

    async def _embed_missing(self, batch: list[_Cut], kept: dict[str, Vector]) -> dict[str, Vector]:
        """Vectors, by SHA-256, of the batch's chunks that are not in `kept`."""
        missing = {
            chunk.sha256: chunk.embedded_text
            for cut in batch
            for chunk in cut.chunks
            if chunk.sha256 not in kept
        }
        if not missing:
            return {}
        vectors = await self._embedder.embed(list(missing.values()))
        return dict(zip(missing, vectors, strict=True))

    async def _write(
        self, user: UserId, items: list[EmbeddedNote], as_of: datetime | None, progress: Progress
    ) -> list[Conflict]:
        """Write what nobody else changed; again where what we have is newer."""
        skipped: list[Conflict] = []
        conflicts = await self._replace(user, items)
        while conflicts:
            ours = {item.note.id: item for item in items}
            newer = [c for c in conflicts if as_of is not None and c.changed_at < as_of]
            same = [c for c in conflicts if c.stored == self._stored(ours[c.note_id].note)]
            skipped += [c for c in conflicts if c not in newer and c not in same]
            again = [replace(ours[c.note_id], replaces=c.stored) for c in newer if c not in same]
            conflicts = await self._replace(user, again) if again else []
        progress(len(items))
        return skipped

    async def _replace(self, user: UserId, items: list[EmbeddedNote]) -> list[Conflict]:
        return await self._store.replace(
            user, items, chunking=self._chunker.name, embedder=self._embedder.digest
        )


def _embedded(cut: _Cut, vectors: dict[str, Vector], library: StoredNotes) -> EmbeddedNote:
    return EmbeddedNote(
        cut.note,
        cut.chunks,
        tuple(vectors[chunk.sha256] for chunk in cut.chunks),
        replaces=library.notes.get(cut.note.id),
    )
