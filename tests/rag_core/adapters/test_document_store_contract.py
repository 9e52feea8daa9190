"""What is known of documents, in memory as in Postgres."""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import pytest

from rag_core.adapters.embedders import HashingEmbedder
from rag_core.adapters.memory import MemoryDocuments, MemoryNotes
from rag_core.adapters.postgres import Database, PostgresDocuments, PostgresNotes
from rag_core.clock import ManualClock
from rag_core.documents import DocumentJobs
from rag_core.domain import (
    Document,
    DocumentSearch,
    DocumentStore,
    DocumentType,
    Note,
    NoteStore,
    QueueLimits,
    Upload,
    UserId,
    WholeNoteChunker,
)
from rag_core.errors import InvalidInput, RagError, RateLimitExceeded
from rag_core.ingest import Ingest

LIMITS = QueueLimits(of_a_user=3)
EVER = datetime.now(UTC) + timedelta(days=36_500)


class Reads:
    """Takes a file's first line as its title; one that says so is broken."""

    async def convert(self, note_id: str, content: bytes) -> Document:
        if content == b"broken":
            raise InvalidInput("file", "is broken")
        text = content.decode()
        note = Note(note_id, text.partition("\n")[0], text, tags=("file",))
        return Document(note, DocumentType.TEXT, len(content), "")


@dataclass(frozen=True)
class Kept:
    """Documents, the notes they become, and who reads them."""

    store: DocumentStore
    notes: NoteStore
    jobs: DocumentJobs
    waiting: Callable[[UserId], Awaitable[int]]

    async def read(self, user: UserId, document_id: str) -> None:
        await self.jobs.run(user, document_id, last=False)


@pytest.fixture(params=["memory", "postgres"])
def kept(request: pytest.FixtureRequest) -> Kept:
    embedder = HashingEmbedder()
    if request.param == "memory":
        clock = ManualClock()
        notes: NoteStore = MemoryNotes(embedder_digest=embedder.digest, clock=clock)
        assert isinstance(notes, MemoryNotes)
        memory = MemoryDocuments(notes, clock, LIMITS)
        store: DocumentStore = memory

        async def waiting(user: UserId) -> int:
            return sum(owner == user for owner, _ in memory.jobs)
    else:
        database: Database = request.getfixturevalue("database")
        notes, store = PostgresNotes(database), PostgresDocuments(database, LIMITS)

        async def waiting(user: UserId) -> int:
            jobs = "SELECT id FROM procrastinate_jobs WHERE args ->> 'user' = %s"
            return len(await database.fetch(jobs, (user,)))

    jobs = DocumentJobs(
        store=store,
        converter=Reads(),
        ingest=Ingest(store=notes, embedder=embedder, chunker=WholeNoteChunker()),
        changed=lambda user, note_id: None,
    )
    return Kept(store, notes, jobs, waiting)


def file(text: str) -> Upload:
    content = text.encode()
    return Upload(f"{text[:9]}.txt", content, hashlib.sha256(content).hexdigest())


async def body(kept: Kept, user: UserId) -> str | None:
    note = await kept.notes.note(user, "doc-1")
    return note.body if note else None


async def test_a_document_waits_until_it_was_read_and_is_a_note_then(
    kept: Kept, user: UserId
) -> None:
    assert await kept.store.add(user, "doc-1", file("Grace is a gift")) == ("doc-1", True)
    known = await kept.store.document(user, "doc-1")
    assert known is not None
    assert (known.newest.status, known.live_version, await body(kept, user)) == (
        *("queued", None, None),
    )
    assert await kept.waiting(user) == 1
    await kept.read(user, "doc-1")
    known = await kept.store.document(user, "doc-1")
    assert known is not None
    assert (known.newest.status, known.live_version) == ("ready", 1)
    assert (known.newest.title, known.newest.tags) == ("Grace is a gift", ("file",))
    assert await body(kept, user) == "Grace is a gift"
    await kept.read(user, "doc-1")  # again, as after a crash


async def test_a_file_that_is_there_is_known_again(
    kept: Kept, user: UserId, other_user: UserId
) -> None:
    await kept.store.add(user, "doc-1", file("Grace"))
    assert await kept.store.add(user, "doc-2", file("Grace")) == ("doc-1", False)
    assert await kept.store.add(other_user, "doc-3", file("Grace")) == ("doc-3", True)
    assert await kept.store.revise(user, "doc-1", file("Grace")) is False
    assert await kept.store.revise(user, "doc-9", file("Grace")) is None
    assert await kept.store.document(other_user, "doc-1") is None


async def test_versions_that_wait_have_one_job_and_the_newest_goes_live(
    kept: Kept, user: UserId
) -> None:
    await kept.store.add(user, "doc-1", file("one"))
    assert await kept.store.revise(user, "doc-1", file("two")) is True
    assert await kept.waiting(user) == 1
    await kept.read(user, "doc-1")
    assert await body(kept, user) == "two"
    listed = await kept.store.versions(user, "doc-1")
    assert [(each.version, each.status, each.title) for each in listed] == [
        *((2, "ready", "two"), (1, "ready", "one")),
    ]
    assert await kept.store.restore(user, "doc-1", 1) is True
    await kept.read(user, "doc-1")
    assert await body(kept, user) == "one"
    assert (await kept.store.versions(user, "doc-1"))[0].restored_from == 1


async def test_a_broken_version_leaves_the_one_before_it_live(kept: Kept, user: UserId) -> None:
    await kept.store.add(user, "doc-1", file("good"))
    await kept.read(user, "doc-1")
    await kept.store.revise(user, "doc-1", file("broken"))
    await kept.read(user, "doc-1")
    known = await kept.store.document(user, "doc-1")
    assert known is not None
    assert (known.newest.status, known.newest.error) == ("failed", "InvalidInput")
    assert (known.live_version, await body(kept, user)) == (1, "good")
    assert await kept.store.restore(user, "doc-1", 2) is None, "its file is gone"


async def test_what_fails_for_another_reason_keeps_its_file_and_is_given_up_last(
    kept: Kept, user: UserId, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> Document:
        raise RagError("a part is away")

    monkeypatch.setattr(Reads, "convert", away)
    await kept.store.add(user, "doc-1", file("good"))
    with pytest.raises(RagError, match="away"):
        await kept.jobs.run(user, "doc-1", last=False)
    (version,) = await kept.store.versions(user, "doc-1")
    assert version.status == "converting"
    with pytest.raises(RagError, match="away"):
        await kept.jobs.run(user, "doc-1", last=True)
    (version,) = await kept.store.versions(user, "doc-1")
    assert (version.status, version.error) == ("failed", "RagError")
    monkeypatch.undo()
    assert await kept.store.restore(user, "doc-1", None) is True
    await kept.read(user, "doc-1")
    assert await body(kept, user) == "good"


async def test_a_document_that_is_deleted_while_it_is_read_does_not_come_back(
    kept: Kept, user: UserId
) -> None:
    await kept.store.add(user, "doc-1", file("Grace"))
    pending = await kept.store.next_pending(user, "doc-1")
    assert pending is not None
    assert await kept.store.delete(user, "doc-1")
    await kept.read(user, "doc-1")
    assert await body(kept, user) is None
    assert not await kept.store.delete(user, "doc-1")
    assert await kept.store.restore(user, "doc-1", None) is True
    await kept.read(user, "doc-1")
    assert await body(kept, user) == "Grace"


async def test_so_many_may_wait_and_no_more(kept: Kept, user: UserId, other_user: UserId) -> None:
    for number in range(3):
        await kept.store.add(user, f"doc-{number}", file(f"text {number}"))
    with pytest.raises(RateLimitExceeded):
        await kept.store.add(user, "doc-4", file("text 4"))
    with pytest.raises(RateLimitExceeded):
        await kept.store.revise(user, "doc-1", file("text 5"))
    assert await kept.store.add(other_user, "doc-4", file("text 4")) == ("doc-4", True)


async def test_tags_of_the_user_go_before_those_of_the_file_and_are_searched(
    kept: Kept, user: UserId
) -> None:
    await kept.store.add(user, "doc-1", file("Grace"))
    await kept.read(user, "doc-1")
    assert await kept.store.tag(user, "doc-1", ["own"])
    assert not await kept.store.tag(user, "doc-9", ["own"])
    await kept.read(user, "doc-1")
    note = await kept.notes.note(user, "doc-1")
    assert note is not None
    assert note.tags == ("own",)
    assert len(await kept.store.search(user, DocumentSearch(tag="own"))) == 1
    assert await kept.store.search(user, DocumentSearch(tag="file")) == []


async def test_nothing_of_a_user_who_is_forgotten_remains(
    kept: Kept, user: UserId, other_user: UserId
) -> None:
    for owner in (user, other_user):
        await kept.store.add(owner, f"doc-{owner}", file("Grace"))
    await kept.store.forget(user)
    assert await kept.store.search(user, DocumentSearch()) == []
    assert await kept.store.versions(user, f"doc-{user}") == []
    assert (await kept.waiting(user), await kept.waiting(other_user)) == (0, 1)


async def test_deleted_documents_are_purged_and_no_others(kept: Kept, user: UserId) -> None:
    for number in (1, 2):
        await kept.store.add(user, f"doc-{number}", file(f"text {number}"))
    await kept.store.delete(user, "doc-1")
    assert user in await kept.store.deleted(EVER)
    assert await kept.store.purge(user, EVER) == 1
    assert [each.id for each in await kept.store.search(user, DocumentSearch())] == ["doc-2"]
    assert await kept.store.restore(user, "doc-1", None) is None
