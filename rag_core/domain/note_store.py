"""Where notes and their embedded chunks are kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import TYPE_CHECKING, Protocol

from rag_core.domain.chunks import Chunk
from rag_core.domain.condition import ALWAYS, Condition
from rag_core.domain.notes import Note
from rag_core.domain.user import UserId

if TYPE_CHECKING:
    from rag_core.domain.ranking import Vector


@dataclass(frozen=True, slots=True)
class StoredVersion:
    """What is stored of a note: its content hash and the chunker that cut it."""

    version: str
    chunking: str


@dataclass(frozen=True, slots=True)
class EmbeddedNote:
    """A note with its chunks and, in the same order, their vectors."""

    note: Note
    chunks: tuple[Chunk, ...]
    vectors: tuple[Vector, ...]
    replaces: StoredVersion | None = None
    """What the writer saw under the note's id: only that may be overwritten. None: no live note."""


@dataclass(frozen=True, slots=True)
class Conflict:
    """A note that was not written, as another change came first."""

    note_id: str
    stored: StoredVersion | None
    """What is stored by now; None when it was deleted."""
    changed_at: datetime
    """When, by the store's clock."""


@dataclass(frozen=True, slots=True)
class StoredNotes:
    """A user's live notes at one moment, by id."""

    notes: dict[str, StoredVersion]
    embedder: str | None
    """Digest of the embedder of all chunks; None before the first."""
    beside: frozenset[str] = field(default=frozenset(), compare=False)
    """Digests of embedders that may serve every user."""


@dataclass(frozen=True, slots=True)
class NoteHead:
    """A stored note without what it says."""

    id: str
    version: str
    title: str
    author: str
    date: date | None
    tags: tuple[str, ...]


def note_head(note: Note) -> NoteHead:
    """The note without what it says."""
    return NoteHead(note.id, note.version, note.title, note.author, note.date, note.tags)


class NoteStore(Protocol):
    """Notes and chunks of many users; every method is bound to one of them.

    Whatever changes a note changes the user's epoch in the same transaction.
    """

    async def stored_notes(
        self, user: UserId, note_ids: Sequence[str] | None = None
    ) -> StoredNotes:
        """What is stored for `user`, of these notes or of all; empty for an unknown user."""
        ...

    async def vectors(
        self, user: UserId, note_ids: Sequence[str], *, embedder: str | None = None
    ) -> dict[str, Vector]:
        """Vectors of the stored chunks of these notes, by the chunks' SHA-256.

        Of that embedder; without one, of the one that the user's notes are of.
        """
        ...

    async def read(self, user: UserId) -> list[Note]:
        """The user's live notes in order of id."""
        ...

    async def note(self, user: UserId, note_id: str) -> Note | None:
        """The user's live note of that id."""
        ...

    async def page(self, user: UserId, *, after: str = "", most: int = 100) -> list[NoteHead]:
        """The user's next live notes after that id, in the order of ids, and `most` of them."""
        ...

    async def replace(
        self, user: UserId, notes: Sequence[EmbeddedNote], *, chunking: str, embedder: str
    ) -> list[Conflict]:
        """Write these notes whole, in one transaction, each over what it `replaces`.

        Returns those that were not written, because something else is stored by now.

        Raises:
            EmbedderMismatch: the user's other chunks were embedded by another model.
        """
        ...

    async def re_embed(
        self, user: UserId, notes: Sequence[EmbeddedNote], *, chunking: str, embedder: str
    ) -> bool:
        """Replace every chunk of the user by those of `notes`, in one transaction.

        False, and nothing is written, when `notes` are no longer the user's live notes.
        """
        ...

    async def delete(self, user: UserId, note_id: str, condition: Condition = ALWAYS) -> bool:
        """Soft-delete a note, at once for retrieval; false when there is no such live note.

        Raises:
            PreconditionFailed: what is live does not meet the condition.
        """
        ...

    async def deleted(self, before: datetime) -> list[UserId]:
        """Users with notes that were deleted before that moment and not purged since."""
        ...

    async def purge(self, user: UserId, before: datetime) -> int:
        """Remove the user's notes deleted before that moment for good; how many there were."""
        ...
