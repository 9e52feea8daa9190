"""Where documents are kept, in all their versions, and what waits to be read of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal, Protocol

from rag_core.domain.documents import Document
from rag_core.domain.note_store import EmbeddedNote
from rag_core.domain.notes import Note
from rag_core.domain.user import UserId

DocumentStatus = Literal["queued", "converting", "ready", "failed"]


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it came."""

    path: str
    """Its name, or where it was, or its URL."""
    content: bytes
    sha256: str
    """Of the content, in hex."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentVersion:
    """A version of a document, without what it says."""

    version: int
    """Its number, from 1."""
    status: DocumentStatus
    path: str
    uploaded_at: datetime
    size_bytes: int
    sha256: str
    type: str | None = None
    """One of `DocumentType`, once it was read, and so are those that follow."""
    pages: int | None = None
    """Number of pages, of a PDF."""
    title: str = ""
    author: str = ""
    date: date | None = None
    tags: tuple[str, ...] = ()
    error: str = ""
    """The class of what it failed with."""
    problem: str = ""
    """What it failed with, in words for who gave the file."""
    restored_from: int | None = None
    """Number of the version that it is a copy of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredDocument:
    """A document by its newest version; its note has its id."""

    id: str
    newest: DocumentVersion
    live_version: int | None
    """Number of the version that answers are made from; None: there is none yet."""
    deleted_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingVersion:
    """A version that has yet to become a note, or to become it again."""

    version: int
    """Its number."""
    path: str
    content: bytes | None
    """The file; None where it was read before, and `note` is what was read."""
    note: Note | None
    own_tags: tuple[str, ...] | None
    """In place of those in the file, where the user gave some."""
    goes_live: bool
    """Whether answers are to be made from it; an older one is only kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DocumentSearch:
    """Which of a user's documents are wanted: those of which all of this holds."""

    tag: str | None = None
    author: str | None = None
    """In any letter case."""
    since: date | None = None
    until: date | None = None
    deleted: bool = False
    """Those that were deleted, instead of the others."""
    after: str = ""
    """Those whose id follows this one."""
    most: int = 50
    """Number of documents to give, at most."""


@dataclass(frozen=True, slots=True)
class QueueLimits:
    """How many may wait to be read before another upload is refused."""

    of_a_user: int = 2_000
    """Number of versions."""
    at_once: int = 2
    """Number of a user's documents that are read at the same time, in all processes together."""


class DocumentStore(Protocol):
    """Documents of many users; every method is bound to one of them.

    What makes a version wait puts its job into the queue in the same transaction, and what makes
    one ready stores its note, with a new epoch of the user, in the same transaction.
    """

    async def add(self, user: UserId, document_id: str, upload: Upload) -> tuple[str, bool]:
        """Keep a new document; its id, and whether it is new.

        A file that the user has already, not deleted, is that document.

        Raises:
            RateLimitExceeded: too many of the user's wait already.
        """
        ...

    async def revise(self, user: UserId, document_id: str, upload: Upload) -> bool | None:
        """Keep a new version; false where the newest is the same, None where there is no document.

        Raises:
            RateLimitExceeded: too many of the user's wait already.
        """
        ...

    async def restore(self, user: UserId, document_id: str, version: int | None) -> bool | None:
        """Make an older version the newest again, and undo a deletion.

        Args:
            version: a number; None: the one that was live.

        Returns:
            Whether anything changed; None where there is no such document or readable version.
        """
        ...

    async def tag(self, user: UserId, document_id: str, tags: Sequence[str]) -> bool:
        """Give it these tags in place of those in its file; false where there is no document."""
        ...

    async def delete(self, user: UserId, document_id: str) -> bool:
        """Soft-delete it, and its note with it; false where there is no document."""
        ...

    async def document(self, user: UserId, document_id: str) -> StoredDocument | None:
        """One of the user's, deleted or not."""
        ...

    async def versions(self, user: UserId, document_id: str) -> list[DocumentVersion]:
        """All versions, the newest first."""
        ...

    async def search(self, user: UserId, wanted: DocumentSearch) -> list[StoredDocument]:
        """The user's documents in order of id, which is that of their first upload."""
        ...

    async def next_pending(self, user: UserId, document_id: str) -> PendingVersion | None:
        """The oldest version that waits, which is being converted from then on."""
        ...

    async def keep(self, user: UserId, document_id: str, version: int, document: Document) -> None:
        """Keep what was read of a version, by its number; its file goes."""
        ...

    async def publish(
        self,
        user: UserId,
        document_id: str,
        version: int,
        note: EmbeddedNote,
        *,
        chunking: str,
        embedder: str,
    ) -> bool:
        """Make a version, by its number, ready and its note what answers are made from.

        False, and nothing is written, where it does not wait any more: it is ready, or deleted.

        Raises:
            EmbedderMismatch: the user's other chunks were embedded by another model.
        """
        ...

    async def settle(self, user: UserId, document_id: str, version: int) -> None:
        """An older version, by its number, is ready: it was read, and is not to go live."""
        ...

    async def reject(
        self,
        user: UserId,
        document_id: str,
        version: int,
        *,
        error: str,
        problem: str,
        for_good: bool,
    ) -> None:
        """A version, by its number, has failed; its file goes where that is `for_good`."""
        ...

    async def deleted(self, before: datetime) -> list[UserId]:
        """Users with documents that were deleted before that moment."""
        ...

    async def purge(self, user: UserId, before: datetime) -> int:
        """Remove the user's documents deleted before that moment for good; how many."""
        ...

    async def forget(self, user: UserId) -> None:
        """Remove all of the user's documents, and their jobs, for good."""
        ...
