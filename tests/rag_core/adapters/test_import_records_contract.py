"""What is known of imports, in memory as in Postgres."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace

import pytest

from rag_core.adapters.memory import MemoryImports
from rag_core.adapters.postgres import Database, PostgresImports
from rag_core.clock import ManualClock
from rag_core.domain import LOST_AFTER_S, ImportRecords, NoteImport, UserId
from tests.rag_core.library import connected

RECORD = NoteImport(id="i1", note_id="grace", version="v1")


@dataclass(frozen=True)
class Kept:
    """Records, and a way to let time pass for what they hold."""

    records: ImportRecords
    pass_s: Callable[[float], Awaitable[None]]


@pytest.fixture(params=["memory", "postgres"])
def kept(request: pytest.FixtureRequest) -> Kept:
    if request.param == "memory":
        clock = ManualClock()

        async def later(seconds: float) -> None:
            clock.advance(seconds)

        return Kept(MemoryImports(clock), later)
    database: Database = request.getfixturevalue("database")
    url: str = request.getfixturevalue("database_url")

    async def earlier(seconds: float) -> None:
        """All that there is happened so much earlier."""
        with connected(url) as connection:
            connection.execute(
                "UPDATE imports SET created_at = created_at - make_interval(secs => %(s)s),"
                " beat_at = beat_at - make_interval(secs => %(s)s)",
                {"s": seconds},
            )

    return Kept(PostgresImports(database), earlier)


async def test_an_import_runs_until_it_ends_as_it_does(kept: Kept, user: UserId) -> None:
    await kept.records.begin(user, RECORD)
    assert await kept.records.read(user, "i1") == RECORD
    await kept.records.end(user, "i1", "failed", error="PreconditionFailed", problem="it changed")
    failed = replace(RECORD, state="failed", error="PreconditionFailed", problem="it changed")
    assert await kept.records.read(user, "i1") == failed


async def test_nobody_sees_the_imports_of_others(
    kept: Kept, user: UserId, other_user: UserId
) -> None:
    await kept.records.begin(user, RECORD)
    assert await kept.records.read(other_user, "i1") is None
    assert await kept.records.read(user, "i2") is None
    await kept.records.end(other_user, "i1", "done")
    assert await kept.records.read(user, "i1") == RECORD


async def test_one_that_is_silent_for_long_is_lost_unless_it_had_ended(
    kept: Kept, user: UserId
) -> None:
    for name in ("silent", "beating", "ended"):
        await kept.records.begin(user, replace(RECORD, id=name))
    await kept.records.end(user, "ended", "done")
    await kept.pass_s(LOST_AFTER_S - 5)
    await kept.records.beat(user, "beating")
    await kept.pass_s(6)
    assert await _states(kept.records, user) == {
        "silent": "lost",
        "beating": "running",
        "ended": "done",
    }


async def test_one_that_was_taken_for_lost_and_ends_after_all_is_done(
    kept: Kept, user: UserId
) -> None:
    await kept.records.begin(user, RECORD)
    await kept.pass_s(LOST_AFTER_S + 1)
    await kept.records.end(user, "i1", "done")
    assert await kept.records.read(user, "i1") == replace(RECORD, state="done")


async def test_after_a_day_an_import_is_forgotten_when_the_next_begins(
    kept: Kept, user: UserId
) -> None:
    await kept.records.begin(user, RECORD)
    await kept.pass_s(86_401)
    await kept.records.begin(user, replace(RECORD, id="i2"))
    assert await kept.records.read(user, "i1") is None
    assert await kept.records.read(user, "i2") is not None


async def _states(records: ImportRecords, user: UserId) -> dict[str, str]:
    read = [await records.read(user, name) for name in ("silent", "beating", "ended")]
    return {record.id: record.state for record in read if record}


async def test_those_of_a_user_are_forgotten_and_of_nobody_else(
    kept: Kept, user: UserId, other_user: UserId
) -> None:
    for owner in (user, other_user):
        await kept.records.begin(owner, RECORD)
    await kept.records.forget(user)
    assert await kept.records.read(user, "i1") is None
    assert await kept.records.read(other_user, "i1") == RECORD
    await kept.records.beat(user, "i1")
    await kept.records.end(user, "i1", "done")
    assert await kept.records.read(user, "i1") is None
