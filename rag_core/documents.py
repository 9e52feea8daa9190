"""Documents: users give files, and later versions of them; workers make notes of them."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from rag_core.clock import Clock
from rag_core.domain.document_store import (
    DocumentSearch,
    DocumentStore,
    DocumentVersion,
    PendingVersion,
    StoredDocument,
    Upload,
)
from rag_core.domain.documents import MAX_DOCUMENT_BYTES, Converter, Document
from rag_core.domain.notes import (
    MAX_ID_CHARACTERS,
    MAX_TITLE_CHARACTERS,
    Note,
    check_note,
)
from rag_core.domain.user import UserId
from rag_core.errors import InvalidInput, NotFound, RagError
from rag_core.ingest import Ingest

_ID_PREFIX = "doc-"
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")

Changed = Callable[[UserId, str], None]
"""Told of a user's note, by its id, that it was changed or deleted."""


@dataclass(frozen=True, slots=True)
class Uploaded:
    """A document after a file came for it."""

    document: StoredDocument
    changed: bool
    """Whether there is a new document or version: the same file once more changes nothing."""


class Documents:
    """What users do with their documents; each becomes one note, of the document's id."""

    def __init__(self, *, store: DocumentStore, clock: Clock, changed: Changed) -> None:
        self._store, self._clock, self._changed = store, clock, changed

    async def add(self, user: UserId, path: str, content: bytes) -> Uploaded:
        """Keep a file as a new document, which waits to be read; or know it again.

        Raises:
            InvalidInput: the file is empty or too large, or its name cannot be kept.
            RateLimitExceeded: too many of the user's documents wait already.
        """
        upload = _upload(path, content)
        new_id = f"{_ID_PREFIX}{int(self._clock.now() * 1000):012x}{secrets.token_hex(6)}"
        document_id, created = await self._store.add(user, new_id, upload)
        return Uploaded(await self.read(user, document_id), created)

    async def revise(self, user: UserId, document_id: str, path: str, content: bytes) -> Uploaded:
        """Keep a file as the next version; answers are made from the last one until it is ready.

        Raises:
            NotFound: the user has no such document.
            InvalidInput: the file is empty or too large, or its name cannot be kept.
            RateLimitExceeded: too many of the user's documents wait already.
        """
        changed = await self._store.revise(user, document_id, _upload(path, content))
        if changed is None:
            raise _missing()
        return Uploaded(await self.read(user, document_id), changed)

    async def restore(self, user: UserId, document_id: str, version: int | None) -> Uploaded:
        """Make an older version, by its number, the newest; or undo a deletion.

        Raises:
            NotFound: the user has no such document, or no such version that could be read.
        """
        changed = await self._store.restore(user, document_id, version)
        if changed is None:
            raise NotFound("version", "there is no such document, or no such readable version")
        return Uploaded(await self.read(user, document_id), changed)

    async def tag(self, user: UserId, document_id: str, tags: Sequence[str]) -> StoredDocument:
        """Give it these tags, in place of those in its file, now and in later versions.

        Raises:
            NotFound: the user has no such document.
            InvalidInput: there are too many tags, or one cannot be kept.
        """
        if not await self._store.tag(user, document_id, _checked_tags(tags)):
            raise _missing()
        return await self.read(user, document_id)

    async def delete(self, user: UserId, document_id: str) -> None:
        """Take it out of all answers at once; it can be restored until it is purged.

        Raises:
            NotFound: the user has no such document.
        """
        if not await self._store.delete(user, document_id):
            raise _missing()
        self._changed(user, document_id)

    async def keeps(self, user: UserId, note_id: str) -> bool:
        """Whether the note of that id is a document's that is not deleted.

        Raises:
            DatabaseUnavailable: Postgres cannot be reached.
        """
        if not note_id.startswith(_ID_PREFIX):
            return False
        found = await self._store.document(user, note_id)
        return found is not None and found.deleted_at is None

    async def read(self, user: UserId, document_id: str) -> StoredDocument:
        """One document, deleted or not.

        Raises:
            NotFound: the user has none of that id.
        """
        if found := await self._store.document(user, document_id):
            return found
        raise _missing()

    async def versions(self, user: UserId, document_id: str) -> list[DocumentVersion]:
        """All versions of a document, the newest first.

        Raises:
            NotFound: the user has none of that id.
        """
        if found := await self._store.versions(user, document_id):
            return found
        raise _missing()

    async def search(self, user: UserId, wanted: DocumentSearch) -> list[StoredDocument]:
        """The user's documents, in order of their first upload."""
        return await self._store.search(user, wanted)


class DocumentJobs:
    """Makes notes of what waits, in a worker; doing a job again does nothing twice."""

    def __init__(
        self, *, store: DocumentStore, converter: Converter, ingest: Ingest, changed: Changed
    ) -> None:
        self._store, self._converter = store, converter
        self._ingest, self._changed = ingest, changed

    async def run(self, user: UserId, document_id: str, *, last: bool) -> None:
        """Make notes of all versions of a document that wait.

        Args:
            last: what fails now is not tried again.

        Raises:
            RagError: it may succeed another time; a file that cannot be read is no error here.
        """
        while pending := await self._store.next_pending(user, document_id):
            try:
                await self._make(user, document_id, pending)
            except InvalidInput as error:
                await self._reject(user, document_id, pending, error, for_good=True)
            except Exception as error:  # whatever it is, nobody tries again after the last time
                if last:
                    await self._reject(user, document_id, pending, error, for_good=False)
                raise

    async def give_up(self, user: UserId, document_id: str) -> None:
        """All versions that wait have failed: whoever read them died of it, time after time."""
        while pending := await self._store.next_pending(user, document_id):
            killed = RagError("the worker died of it")
            await self._reject(user, document_id, pending, killed, for_good=False)

    async def _make(self, user: UserId, document_id: str, pending: PendingVersion) -> None:
        note = pending.note
        if note is None:
            document = await self._read(document_id, pending)
            note = document.note
            await self._store.keep(user, document_id, pending.version, document)
        if not pending.goes_live:
            await self._store.settle(user, document_id, pending.version)
            return
        if pending.own_tags is not None:
            note = replace(note, tags=pending.own_tags)
        item = await self._ingest.embedded(user, note)
        published = await self._store.publish(
            *(user, document_id, pending.version, item),
            chunking=self._ingest.chunking,
            embedder=self._ingest.embedder,
        )
        if published:
            self._changed(user, document_id)

    async def _read(self, document_id: str, pending: PendingVersion) -> Document:
        """The file as a note; its name may be its title and tell its date."""
        name = pending.path[-MAX_ID_CHARACTERS:]
        document = await self._converter.convert(name, pending.content or b"")
        note = replace(document.note, id=document_id)
        check_note(note, "note")
        return replace(document, note=note)

    async def _reject(
        self,
        user: UserId,
        document_id: str,
        pending: PendingVersion,
        error: Exception,
        *,
        for_good: bool,
    ) -> None:
        await self._store.reject(
            *(user, document_id, pending.version),
            error=type(error).__name__,
            problem=str(error) if for_good else "",
            for_good=for_good,
        )


def _upload(path: str, content: bytes) -> Upload:
    if not content:
        raise InvalidInput("file", "is empty", "Send the content of a file")
    if len(content) > MAX_DOCUMENT_BYTES:
        problem = f"has {len(content):,} bytes, more than {MAX_DOCUMENT_BYTES:,}"
        raise InvalidInput("file", problem, "Split it, or take the pictures out")
    name = path.strip()
    if not name or len(path) > MAX_TITLE_CHARACTERS or _CONTROL.search(path):
        problem = f"must have 1 to {MAX_TITLE_CHARACTERS} characters, and no control characters"
        raise InvalidInput("name", problem, "Give the file's name")
    return Upload(name, content, hashlib.sha256(content).hexdigest())


def _checked_tags(tags: Sequence[str]) -> list[str]:
    """Without blanks around them and without repetition, in their order."""
    kept = list(dict.fromkeys(filter(None, map(str.strip, tags))))
    try:
        check_note(Note("tags", "", "tags", tags=tuple(kept)), "tags")
    except InvalidInput as error:
        raise InvalidInput("tags", error.problem, error.fix) from None
    return kept


def _missing() -> NotFound:
    return NotFound("id", "there is no such document")
