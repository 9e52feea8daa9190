"""Imports: large notes are stored in the background, and every process can say how far they are."""

from __future__ import annotations

import asyncio
import logging
import secrets
from contextlib import suppress
from contextvars import Context

from rag_core.cancelling import cancel_for_good
from rag_core.clock import Clock
from rag_core.domain.condition import ALWAYS, Condition
from rag_core.domain.imports import ImportRecords, ImportState, NoteImport
from rag_core.domain.note_store import NoteStore
from rag_core.domain.notes import Note, check_note
from rag_core.domain.user import UserId
from rag_core.errors import (
    DatabaseUnavailable,
    InvalidInput,
    NotFound,
    Overloaded,
    PreconditionFailed,
    RagError,
)
from rag_core.ingest import Ingest

BEAT_S = 5.0
"""Seconds between two signs of life of an import; chosen."""

WAITING = 16
"""Imports of a process that are held in memory at once, a few megabytes each; chosen."""

RETRY_AFTER_S = 10.0
"""About what an import takes; chosen."""

_LOG = logging.getLogger(__name__)

_TOLD = (InvalidInput, PreconditionFailed)
"""Errors whose words are for the note's writer."""


class Imports:
    """Stores large notes one after another, while their writers ask now and then.

    A note is written only over what was stored when it was sent: whatever changed it meanwhile
    came later, and stands.
    """

    def __init__(
        self, *, ingest: Ingest, store: NoteStore, records: ImportRecords, clock: Clock
    ) -> None:
        self._ingest = ingest
        self._store = store
        self._records = records
        self._clock = clock
        self._turn = asyncio.Semaphore(1)  # embedding takes all the time there is
        self._running: set[asyncio.Task[None]] = set()

    async def begin(self, user: UserId, note: Note, condition: Condition = ALWAYS) -> NoteImport:
        """Take the note, and store it after this returns.

        Raises:
            InvalidInput: the note cannot be stored; names the field and the fix.
            PreconditionFailed: what is stored does not meet the condition.
            Overloaded: too many are waiting already.
        """
        check_note(note)
        if len(self._running) >= WAITING:
            raise Overloaded("many large notes are waiting", retry_after_s=RETRY_AFTER_S)
        live = (await self._store.stored_notes(user, [note.id])).notes.get(note.id)
        stored = live.version if live else None
        condition.check(stored)
        seen = Condition(versions=frozenset({stored}))
        record = NoteImport(id=secrets.token_hex(12), note_id=note.id, version=note.version)
        await self._records.begin(user, record)
        # Not within the request that began it: it has no deadline, and its client may go.
        task = asyncio.create_task(self._run(user, record.id, note, seen), context=Context())
        self._running.add(task)
        task.add_done_callback(self._ended)
        return record

    async def read(self, user: UserId, import_id: str) -> NoteImport:
        """How far one of the user's imports is, whichever process does it.

        Raises:
            NotFound: the user has none of that id, or it is more than a day old.
        """
        if record := await self._records.read(user, import_id):
            return record
        raise NotFound("import", "there is none of that id")

    async def drain(self, within_s: float) -> None:
        """Let what is under way end, and give up what has not ended after `within_s` seconds."""
        if self._running:
            await asyncio.wait(self._running, timeout=within_s)
        await cancel_for_good(*self._running)

    async def _run(self, user: UserId, import_id: str, note: Note, seen: Condition) -> None:
        beating = asyncio.create_task(self._beat(user, import_id))
        state: ImportState = "failed"
        error, problem = "RagError", ""
        try:
            async with self._turn:
                await self._ingest.keep(user, note, seen)
            state, error = "done", ""
        except RagError as failure:
            error = type(failure).__name__
            problem = str(failure) if isinstance(failure, _TOLD) else ""
        except asyncio.CancelledError:
            state, error = "lost", ""
            raise
        finally:
            beating.cancel()
            with suppress(DatabaseUnavailable):  # then its silence says it
                await self._records.end(user, import_id, state, error=error, problem=problem)
            await cancel_for_good(beating)

    async def _beat(self, user: UserId, import_id: str) -> None:
        while True:
            await self._clock.sleep(BEAT_S)
            with suppress(DatabaseUnavailable):
                await self._records.beat(user, import_id)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        if not task.cancelled() and (error := task.exception()):
            _LOG.error("an import broke", exc_info=error)
