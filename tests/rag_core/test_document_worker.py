"""Workers of the queue as processes: what one is killed at, another one does."""

from __future__ import annotations

import asyncio
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import pytest

from rag_core.adapters.postgres import (
    Database,
    DeadLetters,
    PostgresDocuments,
    PostgresNotes,
    open_database,
)
from rag_core.clock import SystemClock
from rag_core.documents import Documents
from rag_core.domain import UserId
from tests.rag_core.embedded.processes import eventually
from tests.rag_core.reading import HUNG, OPTIONS, WAITS

PROGRAM = ("-m", "tests.rag_core.reading")


@asynccontextmanager
async def worker(*arguments: str) -> AsyncIterator[Process]:
    """A worker in a process of its own, that has begun; by the arguments of its program."""
    command = (sys.executable, *PROGRAM, *arguments)
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE)
    assert process.stdout is not None
    assert await process.stdout.readline() == b"begun\n"
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@pytest.fixture
async def own(own_database: str) -> AsyncIterator[Database]:
    """A queue that nobody else's workers take from."""
    async with open_database(own_database, read_timeout_s=30, write_timeout_s=30) as database:
        yield database


def documents_in(database: Database) -> Documents:
    return Documents(
        store=PostgresDocuments(database), clock=SystemClock(), changed=lambda user, note_id: None
    )


async def becomes(documents: Documents, user: UserId, document_id: str, status: str) -> None:
    async def is_so() -> bool:
        return (await documents.read(user, document_id)).newest.status == status

    await eventually(is_so, patience_s=60)


async def test_what_a_worker_was_killed_at_is_done_by_another_one_and_once(
    own: Database, own_database: str, user: UserId
) -> None:
    documents = documents_in(own)
    given = await documents.add(user, "storm.txt", WAITS.encode())
    others = [await documents.add(user, f"{n}.txt", f"Text {n}".encode()) for n in range(5)]
    async with worker(own_database, HUNG) as killed:
        await becomes(documents, user, given.document.id, "converting")
        killed.send_signal(signal.SIGKILL)
        await killed.wait()
    async with worker(own_database, "reads"):
        for each in (given, *others):
            await becomes(documents, user, each.document.id, "ready")
        await eventually(lambda: no_job_is_left(own))
    notes = await PostgresNotes(own).read(user)
    assert sorted(note.id for note in notes) == sorted(
        each.document.id for each in (given, *others)
    )
    assert [each.version for each in await documents.versions(user, given.document.id)] == [1]


async def no_job_is_left(database: Database) -> bool:
    return await database.fetch("SELECT id FROM procrastinate_jobs") == []


async def test_a_worker_that_is_told_to_stop_leaves_what_it_began_to_the_next(
    own: Database, own_database: str, user: UserId
) -> None:
    documents = documents_in(own)
    given = await documents.add(user, "storm.txt", WAITS.encode())
    async with worker(own_database, HUNG) as stopped:
        await becomes(documents, user, given.document.id, "converting")
        stopped.send_signal(signal.SIGTERM)
        assert await stopped.wait() == 0
    (job,) = await own.fetch("SELECT status::text FROM procrastinate_jobs")
    assert job == ("todo",)
    async with worker(own_database, "reads"):
        await becomes(documents, user, given.document.id, "ready")


async def test_what_fails_time_after_time_is_a_dead_letter_that_can_be_tried_again(
    own: Database, own_database: str, user: UserId, other_user: UserId
) -> None:
    documents, letters = documents_in(own), DeadLetters(own)
    given = await documents.add(user, "storm.txt", b"Text")
    async with worker(own_database, "fails"):
        await becomes(documents, user, given.document.id, "failed")
        await eventually(lambda: _listed(letters, user), patience_s=30)
    assert await letters.list(other_user) == []
    (letter,) = await letters.list(user)
    assert (letter.document_id, letter.attempts) == (given.document.id, 3)
    assert letter.error == "ConfigurationError"
    assert await letters.retry(letter)
    assert not await letters.retry(letter)
    async with worker(own_database, "reads"):
        await becomes(documents, user, given.document.id, "ready")
    assert await letters.list() == []


async def test_a_document_that_kills_every_worker_is_given_up(
    own: Database, own_database: str, user: UserId
) -> None:
    documents = documents_in(own)
    given = await documents.add(user, "storm.txt", WAITS.encode())
    for attempt in range(OPTIONS.attempts):
        async with worker(own_database, HUNG):
            await eventually(partial(_is_doing, own, attempt), patience_s=30)
    async with worker(own_database, HUNG):
        await becomes(documents, user, given.document.id, "failed")
        await eventually(lambda: _listed(DeadLetters(own), user), patience_s=30)


async def _is_doing(own: Database, attempt: int) -> bool:
    query = "SELECT FROM procrastinate_jobs WHERE status = 'doing' AND attempts = %s"
    return bool(await own.fetch(query, (attempt,)))


async def _listed(letters: DeadLetters, user: UserId) -> bool:
    return bool(await letters.list(user))
