"""Those who change notes: by ingest, by the store, by plain SQL; some die half-way."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from itertools import count

from evals.consistency.database import WRITING, Backstage
from evals.consistency.history import ABSENT, History, Mention, Write
from evals.consistency.result import TrialResult
from evals.consistency.sql import NothingToEdit, SqlEdit, SqlEditor
from evals.consistency.workers import Worker
from evals.consistency.world import PATIENCE, Actions
from rag_core.domain import Note, StoredNotes, UserId
from rag_core.errors import DatabaseUnavailable

USERS = tuple(map(UserId, ("anna", "boas", "chloe")))
TOPICS = ("grace", "mercy", "exile", "harvest")

_SQL = (SqlEdit.TEXT, SqlEdit.NOTE, SqlEdit.INSERT, SqlEdit.REMOVE, SqlEdit.UNINDEX)
_SQL_WEIGHTS = (35, 30, 20, 8, 7)


class Writers:
    """Change notes through any worker, and tell the history what became of it."""

    def __init__(
        self,
        history: History,
        workers: Sequence[Worker],
        editor: SqlEditor,
        backstage: Backstage,
        chance: random.Random,
        result: TrialResult,
    ) -> None:
        self._history = history
        self._workers = workers
        self._editor = editor
        self._backstage = backstage
        self._chance = chance
        self._outcome = result
        self._versions = count()

    @property
    def actions(self) -> Actions:
        """What they do, with how often in 100 steps."""
        return {
            self.edit: 4.0, self.import_files: 2.0, self.sql: 3.0, self.delete: 0.7,
            self.crash: 0.5, self.purge: 0.2, self.truncate: 0.02,
        }  # fmt: skip

    async def edit(self) -> None:
        """Somebody saves a note."""
        await self._ingest(self._chance.sample(TOPICS, 1), as_of=None)

    async def import_files(self) -> None:
        """An ingest of a few files, slow enough for others to change the notes meanwhile."""
        as_of = datetime.now(UTC) if self._chance.random() < 0.5 else None
        token = PATIENCE.set(4.0)
        try:
            await self._ingest(self._chance.sample(TOPICS, 2), as_of=as_of)
        finally:
            PATIENCE.reset(token)

    async def delete(self) -> None:
        """Somebody deletes a note."""
        user, topic = self._chance.choice(USERS), self._chance.choice(TOPICS)
        write = self._history.begin(user, topic, ABSENT)
        async with self._changing([write]):
            await self._chance.choice(self._workers).notes().delete(user, topic)

    async def purge(self) -> None:
        """Deleted notes go for good, which changes no answer."""
        notes = self._chance.choice(self._workers).notes()
        async with self._changing([]):
            await notes.purge(self._chance.choice(USERS), datetime.now(UTC))

    async def sql(self) -> None:
        """Somebody goes round the store."""
        (kind,) = self._chance.choices(_SQL, _SQL_WEIGHTS)
        user = self._chance.choice(USERS)
        note = self._note(user, self._chance.choice(TOPICS))
        version = ABSENT if kind.removes else _version(note)
        write = self._history.begin(user, note.id, version, hashed=kind.hashed)
        async with self._changing([write]):
            await self._editor.edit(kind, user, note)
            self._outcome.events[f"sql {kind}"] += 1

    async def truncate(self) -> None:
        """Somebody empties a table."""
        writes = [
            self._history.begin(user, topic, ABSENT, hashed=False)
            for user in USERS
            for topic in TOPICS
        ]
        async with self._changing(writes):
            await self._editor.edit(SqlEdit.TRUNCATE, USERS[0], self._note(USERS[0], TOPICS[0]))

    async def crash(self) -> None:
        """A writer dies on its way."""
        action = self._chance.choice((self.edit, self.import_files, self.delete, self.sql))
        task = asyncio.create_task(action())
        await asyncio.sleep(0.03 * self._chance.random())
        task.cancel()
        await asyncio.wait([task])
        if not task.cancelled():
            task.result()

    async def _ingest(self, topics: Sequence[str], *, as_of: datetime | None) -> None:
        user = self._chance.choice(USERS)
        notes = [self._note(user, topic) for topic in topics]
        writes = [self._history.begin(user, note.id, _version(note)) for note in notes]

        def seen(library: StoredNotes) -> None:
            tick = self._history.tick()
            for write in writes:
                if write.note in library.notes:  # else others may come and go: none is none
                    write.seen = tick

        ingest = self._chance.choice(self._workers).ingest(seen)
        async with self._changing(writes):
            report = await ingest.run(user, notes, as_of=as_of)
            for write in [write for write in writes if write.note in report.skipped]:
                self._outcome.events["skipped"] += 1
                writes.remove(write)
                self._history.drop(write)

    @asynccontextmanager
    async def _changing(self, writes: list[Write]) -> AsyncIterator[None]:
        """Tell the history what became of the writes that the block makes."""
        processes: set[int] = set()
        token = WRITING.set(processes)
        try:
            yield
        except NothingToEdit:
            self._outcome.events["nothing to edit"] += 1
            for write in writes:
                self._history.drop(write)
        except DatabaseUnavailable:
            await self._find_out(writes, processes)
        except asyncio.CancelledError:
            await self._find_out(writes, processes)
            raise
        else:
            for write in writes:
                self._history.acknowledge(write)
        finally:
            WRITING.reset(token)

    async def _find_out(self, writes: Sequence[Write], processes: set[int]) -> None:
        """Nobody was told whether it was committed: end whoever may still do it, and look."""
        self._outcome.events["result unknown"] += 1
        await self._backstage.end(processes)
        for write in writes:
            self._history.settle(write)
        for write in writes:
            await self.look(write.user, write.note)

    async def look(self, user: UserId, note: str) -> None:
        """See what a note says in the database itself."""
        since = self._history.tick()
        version = await self._backstage.version(user, note)
        until = self._history.tick()
        if not self._history.allows(user, {note: version}, first=since, last=until):
            self._outcome.impossible += 1
            account = self._history.account(user, [note])
            self._outcome.explain(f"{user}'s {note} is v{version} by {until}: {account}")
        self._history.observe(user, note, version, since=since)

    def _note(self, user: UserId, topic: str) -> Note:
        mention = Mention(user, topic, next(self._versions))
        return Note(id=topic, title="", body=f"About {topic} {topic}: {mention}")


def _version(note: Note) -> int:
    return int(note.body.rpartition("/v")[2].rstrip(">"))
