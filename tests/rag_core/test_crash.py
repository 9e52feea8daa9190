"""kill -9 at the worst moment: what is left is whole, and running again completes it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

import rag_core
from rag_core.adapters.postgres import Database, PostgresNotes
from rag_core.domain import Tokenizer, UserId
from rag_core.ingest import BATCH_CHUNKS
from tests.rag_core.embedded.processes import DEADLINE_S, eventually, pid_of, running_below
from tests.rag_core.library import half_written, ingest_over, library, rows, stored_chunks

ROOT = Path(rag_core.__file__).parent.parent
INGESTING = Path(__file__).with_name("ingesting.py")
NOTES = 4 * BATCH_CHUNKS


@asynccontextmanager
async def started(*command: str | Path, **environment: str) -> AsyncIterator[Process]:
    """A process of this Python, killed at the latest when the block ends."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, *map(str, command)),
        stdout=PIPE,
        stderr=PIPE,
        env=os.environ | {"PYTHONPATH": str(ROOT)} | environment,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()


async def stored_notes(database: Database, user: UserId) -> int:
    ((count,),) = await rows(database, "SELECT count(*) FROM notes WHERE user_id = %s", user)
    return int(count)


@pytest.mark.parametrize("stop_after", [0, 2, 3])
async def test_an_ingest_that_is_killed_leaves_whole_notes_and_a_second_run_completes(
    database_url: str,
    database: Database,
    tokenizer: Tokenizer,
    user: UserId,
    other_user: UserId,
    stop_after: int,
) -> None:
    """Killed before its first rows, or as soon as they are seen: while it writes the next."""
    async with started(INGESTING, database_url, user, str(NOTES), str(stop_after)) as process:
        assert process.stdout
        await asyncio.wait_for(process.stdout.readline(), DEADLINE_S)
        if stop_after:
            await eventually(lambda: has_stored(database, user))
        process.kill()
        await process.wait()
    stored = await stored_notes(database, user)
    assert stored < NOTES
    assert bool(stored) is bool(stop_after)
    assert await half_written(database, user) == []

    report = await ingest_over(database, tokenizer).run(user, library(NOTES))
    assert report.notes_written == NOTES - stored
    await ingest_over(database, tokenizer).run(other_user, library(NOTES))
    assert await stored_notes(database, user) == NOTES
    assert await stored_chunks(database, user) == await stored_chunks(database, other_user)


async def has_stored(database: Database, user: UserId) -> bool:
    return await stored_notes(database, user) > 0


async def test_several_processes_that_ingest_the_same_notes_end_as_one_would(
    database_url: str, database: Database, tokenizer: Tokenizer, user: UserId, other_user: UserId
) -> None:
    async with (
        started(INGESTING, database_url, user, "600", "99") as first,
        started(INGESTING, database_url, user, "600", "99") as second,
        started(INGESTING, database_url, user, "600", "99") as third,
    ):
        for process in (first, second, third):
            _, errors = await process.communicate()
            assert process.returncode == 0, errors.decode()
    await ingest_over(database, tokenizer).run(other_user, library(600))
    assert await stored_chunks(database, user) == await stored_chunks(database, other_user)
    assert len(await PostgresNotes(database).read(user)) == 600


async def test_after_the_postmaster_is_killed_while_asking_the_next_ask_works(
    tmp_path: Path, exported_model: Path
) -> None:
    home = tmp_path / "home"
    notes = tmp_path / "notes.jsonl"
    notes.write_text(
        '{"id": "grace", "title": "On grace", "body": "Paul calls grace a gift."}\n',
        encoding="utf-8",
    )
    settings = {"RAG_HOME": str(home), "RAG_EMBEDDER_MODEL": str(exported_model)}
    ask = ("-m", "rag_core", "ask", "--user", "ruth", "What does Paul call grace?")

    async with started("-m", "rag_core", "ingest", notes, "--user", "ruth", **settings) as ingest:
        _, errors = await ingest.communicate()
        assert ingest.returncode == 0, errors.decode()
    await eventually(lambda: not running_below(home))

    async with started(*ask, **settings) as asking:
        await eventually(lambda: bool(postmasters(home)))
        os.kill(pid_of(home, "bin/postgres -D"), signal.SIGKILL)
        _, errors = await asking.communicate()
        assert asking.returncode in (0, 4), errors.decode()
        assert b"Traceback" not in errors

    async with started(*ask, **settings) as asking:
        shown, errors = await asking.communicate()
        assert asking.returncode == 0, errors.decode()
        assert b"[1] On grace" in shown
    await eventually(lambda: not running_below(home))


def postmasters(home: Path) -> list[int]:
    return [pid for pid, command in running_below(home).items() if "bin/postgres -D" in command]
