"""Documents in this process: the fake of the tables in Postgres, over notes in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime

from rag_core.adapters.memory.notes import MemoryNotes
from rag_core.clock import Clock
from rag_core.domain.document_store import (
    DocumentSearch,
    DocumentVersion,
    PendingVersion,
    QueueLimits,
    StoredDocument,
    Upload,
)
from rag_core.domain.documents import Document
from rag_core.domain.note_store import EmbeddedNote
from rag_core.domain.notes import Note
from rag_core.domain.user import UserId
from rag_core.errors import RateLimitExceeded


@dataclass
class _Version:
    shown: DocumentVersion
    content: bytes | None
    note: Note | None = None


@dataclass
class _Kept:
    versions: list[_Version] = field(default_factory=list)
    live: int | None = None
    own_tags: tuple[str, ...] | None = None
    deleted_at: datetime | None = None

    def show(self, number: int, **changes: object) -> None:
        version = self.versions[number - 1]
        version.shown = replace(version.shown, **changes)  # type: ignore[arg-type]

    @property
    def waiting(self) -> list[_Version]:
        return [each for each in self.versions if each.shown.status in ("queued", "converting")]


class MemoryDocuments:
    """DocumentStore in a dictionary; whoever plays the worker takes from `jobs`."""

    def __init__(self, notes: MemoryNotes, clock: Clock, limits: QueueLimits | None = None) -> None:
        self._notes, self._clock, self._limits = notes, clock, limits or QueueLimits()
        self._kept: dict[tuple[UserId, str], _Kept] = {}
        self.jobs: list[tuple[UserId, str]] = []

    async def add(self, user: UserId, document_id: str, upload: Upload) -> tuple[str, bool]:
        """See `rag_core.domain.document_store.DocumentStore`."""
        await asyncio.sleep(0)
        for (owner, name), kept in sorted(self._kept.items()):
            same = kept.versions[-1].shown.sha256 == upload.sha256
            if owner == user and same and kept.deleted_at is None:
                return name, False
        self._check_waiting(user)
        self._kept[user, document_id] = _Kept([self._version(1, upload)])
        self._enqueue(user, document_id)
        return document_id, True

    async def revise(self, user: UserId, document_id: str, upload: Upload) -> bool | None:
        """See `rag_core.domain.document_store.DocumentStore`."""
        kept = self._live(user, document_id)
        if kept is None:
            return None
        newest = kept.versions[-1].shown
        if newest.sha256 == upload.sha256 and newest.status != "failed":
            return False
        self._check_waiting(user)
        kept.versions.append(self._version(newest.version + 1, upload))
        self._enqueue(user, document_id)
        return True

    async def restore(self, user: UserId, document_id: str, version: int | None) -> bool | None:
        """See `rag_core.domain.document_store.DocumentStore`."""
        kept = self._kept.get((user, document_id))
        if kept is None:
            return None
        newest = kept.versions[-1].shown
        number = version or kept.live or newest.version
        if number == newest.version and not kept.deleted_at and newest.status != "failed":
            return False
        found = [each for each in kept.versions if each.shown.version == number]
        if not found or (found[0].note is None and found[0].content is None):
            return None
        if number != newest.version:
            shown = replace(found[0].shown, version=newest.version + 1, restored_from=number)
            kept.versions.append(_Version(shown, found[0].content, found[0].note))
        kept.show(kept.versions[-1].shown.version, status="queued", error="", problem="")
        kept.deleted_at = None
        self._enqueue(user, document_id)
        return True

    async def tag(self, user: UserId, document_id: str, tags: Sequence[str]) -> bool:
        """See `rag_core.domain.document_store.DocumentStore`."""
        kept = self._live(user, document_id)
        if kept is None:
            return False
        kept.own_tags = tuple(tags)
        if kept.live:
            kept.show(kept.live, status="queued", error="", problem="")
            self._enqueue(user, document_id)
        return True

    async def delete(self, user: UserId, document_id: str) -> bool:
        """See `rag_core.domain.document_store.DocumentStore`."""
        kept = self._live(user, document_id)
        if kept is None:
            return False
        kept.deleted_at = self._now()
        await self._notes.delete(user, document_id)
        return True

    async def document(self, user: UserId, document_id: str) -> StoredDocument | None:
        """See `rag_core.domain.document_store.DocumentStore`."""
        await asyncio.sleep(0)
        kept = self._kept.get((user, document_id))
        return _shown(document_id, kept) if kept else None

    async def versions(self, user: UserId, document_id: str) -> list[DocumentVersion]:
        """See `rag_core.domain.document_store.DocumentStore`."""
        await asyncio.sleep(0)
        kept = self._kept.get((user, document_id), _Kept())
        return [each.shown for each in reversed(kept.versions)]

    async def search(self, user: UserId, wanted: DocumentSearch) -> list[StoredDocument]:
        """See `rag_core.domain.document_store.DocumentStore`."""
        await asyncio.sleep(0)
        own = sorted((name, kept) for (owner, name), kept in self._items() if owner == user)
        shown = [_shown(name, kept) for name, kept in own if name > wanted.after]
        return [each for each in shown if _is_wanted(each, wanted)][: wanted.most]

    async def next_pending(self, user: UserId, document_id: str) -> PendingVersion | None:
        """See `rag_core.domain.document_store.DocumentStore`."""
        kept = self._live(user, document_id)
        if kept is None or not kept.waiting:
            return None
        found = kept.waiting[0]
        number = found.shown.version
        kept.show(number, status="converting")
        return PendingVersion(
            version=number,
            path=found.shown.path,
            content=found.content,
            note=found.note,
            own_tags=kept.own_tags,
            goes_live=number in (kept.versions[-1].shown.version, kept.live),
        )

    async def keep(self, user: UserId, document_id: str, version: int, document: Document) -> None:
        """See `rag_core.domain.document_store.DocumentStore`."""
        if found := self._converting(user, document_id, version):
            note = document.note
            found.content, found.note = None, note
            found.shown = replace(
                found.shown,
                type=str(document.type),
                pages=document.pages,
                title=note.title,
                author=note.author,
                date=note.date,
                tags=note.tags,
            )

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
        """See `rag_core.domain.document_store.DocumentStore`."""
        kept, found = self._live(user, document_id), self._converting(user, document_id, version)
        if kept is None or found is None:
            return False
        stored = (await self._notes.stored_notes(user, [document_id])).notes.get(document_id)
        item = replace(note, replaces=stored)
        await self._notes.replace(user, [item], chunking=chunking, embedder=embedder)
        found.shown, kept.live = replace(found.shown, status="ready"), version
        return True

    async def settle(self, user: UserId, document_id: str, version: int) -> None:
        """See `rag_core.domain.document_store.DocumentStore`."""
        if found := self._converting(user, document_id, version):
            found.shown = replace(found.shown, status="ready")

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
        """See `rag_core.domain.document_store.DocumentStore`."""
        if found := self._converting(user, document_id, version):
            found.shown = replace(found.shown, status="failed", error=error, problem=problem)
            found.content = None if for_good else found.content

    async def deleted(self, before: datetime) -> list[UserId]:
        """See `rag_core.domain.document_store.DocumentStore`."""
        return sorted({owner for (owner, _), kept in self._items() if _gone(kept, before)})

    async def purge(self, user: UserId, before: datetime) -> int:
        """See `rag_core.domain.document_store.DocumentStore`."""
        gone = [key for key, kept in self._items() if key[0] == user and _gone(kept, before)]
        for key in gone:
            del self._kept[key]
        return len(gone)

    async def forget(self, user: UserId) -> None:
        """See `rag_core.domain.document_store.DocumentStore`."""
        self._kept = {key: kept for key, kept in self._items() if key[0] != user}
        self.jobs = [job for job in self.jobs if job[0] != user]

    def _items(self) -> list[tuple[tuple[UserId, str], _Kept]]:
        return list(self._kept.items())

    def _live(self, user: UserId, document_id: str) -> _Kept | None:
        kept = self._kept.get((user, document_id))
        return kept if kept and kept.deleted_at is None else None

    def _converting(self, user: UserId, document_id: str, version: int) -> _Version | None:
        kept = self._kept.get((user, document_id), _Kept())
        waiting = (each for each in kept.waiting if each.shown.status == "converting")
        return next((each for each in waiting if each.shown.version == version), None)

    def _check_waiting(self, user: UserId) -> None:
        waiting = sum(len(kept.waiting) for (owner, _), kept in self._items() if owner == user)
        if waiting >= self._limits.of_a_user:
            raise RateLimitExceeded("documents that wait", "user", retry_after_s=1)

    def _enqueue(self, user: UserId, document_id: str) -> None:
        if (user, document_id) not in self.jobs:
            self.jobs.append((user, document_id))

    def _version(self, number: int, upload: Upload) -> _Version:
        shown = DocumentVersion(
            version=number,
            status="queued",
            path=upload.path,
            uploaded_at=self._now(),
            size_bytes=len(upload.content),
            sha256=upload.sha256,
        )
        return _Version(shown, upload.content)

    def _now(self) -> datetime:
        return datetime.fromtimestamp(self._clock.now(), UTC)


def _shown(document_id: str, kept: _Kept) -> StoredDocument:
    newest = kept.versions[-1].shown
    if kept.own_tags is not None:
        newest = replace(newest, tags=kept.own_tags)
    return StoredDocument(
        id=document_id, newest=newest, live_version=kept.live, deleted_at=kept.deleted_at
    )


def _is_wanted(each: StoredDocument, wanted: DocumentSearch) -> bool:
    newest, day = each.newest, each.newest.date
    return (
        (each.deleted_at is not None) == wanted.deleted
        and (wanted.tag is None or wanted.tag in newest.tags)
        and (wanted.author is None or wanted.author.lower() == newest.author.lower())
        and (wanted.since is None or (day is not None and day >= wanted.since))
        and (wanted.until is None or (day is not None and day <= wanted.until))
    )


def _gone(kept: _Kept, before: datetime) -> bool:
    return kept.deleted_at is not None and kept.deleted_at < before
