"""Purging: what was deleted is gone for good, from the store and from the cache."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rag_core.adapters.memory import (
    MemoryDocuments,
    MemoryFeedback,
    MemoryImports,
    MemoryNotes,
    MemorySessions,
)
from rag_core.cache import MemoryAnswerCache, MemoryEmbeddingCache, user_key
from rag_core.clock import ManualClock
from rag_core.domain import Feedback, Provenance, Tokenizer, UserId
from rag_core.errors import CacheUnavailable
from rag_core.purge import Purge, PurgeReport
from tests.rag_core.cache.parts import cached_answer
from tests.rag_core.library import note
from tests.rag_core.scene import open_scene, settings_for

LATER = datetime.now(UTC) + timedelta(days=1)


async def test_a_purged_note_and_the_answers_that_quoted_it_are_gone(
    database_url: str, user: UserId, other_user: UserId, tokenizer: Tokenizer
) -> None:
    async with open_scene(settings_for(database_url), user, tokenizer) as scene:
        await scene.store(note("grace"), note("storm"))
        await scene.store(note("grace"), user=other_user)
        await scene.ask()
        await scene.ask(user=other_user)
        await scene.delete("grace")
        before = datetime.now(UTC) - timedelta(days=1)
        assert user not in await scene.application.notes.deleted(before)
        purged = await scene.application.purge.run(LATER)
        assert purged.notes >= 1
        assert user not in await scene.application.notes.deleted(LATER)
        assert (await scene.ask(user=other_user)).provenance is Provenance.CACHED
        await scene.store(note("grace"))
        assert (await scene.ask()).provenance is Provenance.FRESH, "its answer was forgotten"


async def test_where_the_cache_cannot_be_reached_the_note_is_kept_to_be_purged_again(
    user: UserId,
) -> None:
    clock = ManualClock()
    sessions = MemorySessions(clock=clock, most_turns=25, ttl_s=1)

    class Away(MemoryAnswerCache):
        async def forget(self, user: UserId) -> None:
            raise CacheUnavailable("Redis is down")

    notes = MemoryNotes(embedder_digest="d", clock=clock)
    await notes.replace(user, [], chunking="c", embedder="d")
    with_note = await _deleted_note(notes, user)
    with pytest.raises(CacheUnavailable):
        await _purge(notes, Away(clock=clock), sessions, clock).run(with_note)
    answers = MemoryAnswerCache(clock=clock)
    await answers.put(user_key(user, "answer", "x"), cached_answer(clock))
    purge = _purge(notes, answers, sessions, clock)
    assert await purge.run(with_note) == PurgeReport(1, 1)
    assert (await answers.size()).entries == 0


async def test_after_everything_is_purged_no_opinion_is_kept(
    database_url: str, user: UserId, other_user: UserId, tokenizer: Tokenizer
) -> None:
    async with open_scene(settings_for(database_url), user, tokenizer) as scene:
        feedback = scene.application.feedback
        for each in (user, other_user):
            opinion = Feedback(digest="0" * 64, question="What is grace?", thumb="up")
            await feedback.put(each, opinion)
        await scene.application.purge.everything(user)
        assert await feedback.given(user) == []
        assert len(await feedback.given(other_user)) == 1


def _purge(
    notes: MemoryNotes, answers: MemoryAnswerCache, sessions: MemorySessions, clock: ManualClock
) -> Purge:
    return Purge(
        store=notes,
        answers=answers,
        embeddings=MemoryEmbeddingCache(),
        imports=MemoryImports(clock),
        sessions=sessions,
        feedback=MemoryFeedback(clock),
        documents=MemoryDocuments(notes, clock),
    )


async def _deleted_note(notes: MemoryNotes, user: UserId) -> datetime:
    """Store a note and delete it; a moment after that."""
    from rag_core.domain import EmbeddedNote

    await notes.replace(user, [EmbeddedNote(note("grace"), (), ())], chunking="c", embedder="d")
    await notes.delete(user, "grace")
    return LATER + timedelta(days=36_500)


async def test_after_everything_is_purged_no_document_version_or_job_is_kept(
    database_url: str, user: UserId, other_user: UserId, tokenizer: Tokenizer
) -> None:
    async with open_scene(settings_for(database_url), user, tokenizer) as scene:
        documents, database = scene.application.documents, scene.application.database
        for each in (user, other_user):
            await documents.add(each, "storm.md", b"The disciples feared the storm.")
        await scene.application.purge.everything(user)
        tables = "documents", "document_versions"
        for owner, kept in ((user, 0), (other_user, 1)):
            rows = [
                await database.fetch(f"SELECT FROM {table} WHERE user_id = %s", (owner,))
                for table in tables
            ]
            jobs = "SELECT FROM procrastinate_jobs WHERE procrastinate_jobs::text LIKE %s"
            rows.append(await database.fetch(jobs, (f"%{owner}%",)))
            assert [len(each) for each in rows] == [kept] * 3
        await scene.application.purge.everything(other_user)


async def test_a_document_that_was_deleted_long_ago_is_purged_with_its_versions(
    database_url: str, user: UserId, tokenizer: Tokenizer
) -> None:
    async with open_scene(settings_for(database_url), user, tokenizer) as scene:
        documents, database = scene.application.documents, scene.application.database
        given = await documents.add(user, "storm.md", b"The disciples feared the storm.")
        await documents.delete(user, given.document.id)
        await scene.application.purge.run(LATER)
        query = "SELECT FROM document_versions WHERE user_id = %s"
        assert await database.fetch(query, (user,)) == []
