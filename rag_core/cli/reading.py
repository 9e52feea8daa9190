"""Reading files, documents and pages as notes, some at a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from rag_core.adapters.documents import Conversion, File, Page, read_notes
from rag_core.adapters.documents.web import Web
from rag_core.cli.progress import Bar
from rag_core.domain.documents import Document
from rag_core.domain.notes import Note, check_note
from rag_core.errors import InvalidInput

BATCH_FILES = 64
"""Read before they are stored together: the embedder likes many texts at once."""


@dataclass
class Batch:
    """Notes of some files, and the time of the file that was changed first."""

    notes: list[Note] = field(default_factory=list)
    changed_at: float = field(default_factory=time.time)


@dataclass
class Reading:
    """Reads files, and keeps what the command says of them at its end."""

    web: Web
    conversion: Conversion
    bar: Bar
    rejected: list[InvalidInput] = field(default_factory=list)
    documents: list[Document] = field(default_factory=list)
    _file_of: dict[str, File | Page] = field(default_factory=dict)
    """By the id of each note that was read."""

    async def batches(self, files: Sequence[File | Page]) -> AsyncIterator[Batch]:
        """The notes of all files that can be read, some files at a time."""
        for first in range(0, len(files), BATCH_FILES):
            batch = Batch()
            for file in files[first : first + BATCH_FILES]:
                try:
                    batch.notes += self._new(file, await self._notes(file))
                    batch.changed_at = min(batch.changed_at, file.changed_at)
                except InvalidInput as error:
                    self.rejected.append(error)
                self.bar.update()
            if batch.notes:
                yield batch

    def _new(self, file: File | Page, notes: list[Note]) -> list[Note]:
        """The notes, unless one would be stored over that of another file."""
        for note in notes:
            if other := self._file_of.get(note.id):
                problem = f"its note would have the id of another one, {note.id!r} of {other}"
                raise InvalidInput(str(file), problem, "Give the folder above both, or an id")
        self._file_of |= dict.fromkeys((note.id for note in notes), file)
        return notes

    async def _notes(self, file: File | Page) -> list[Note]:
        if isinstance(file, File) and file.holds_lines:
            return await asyncio.to_thread(read_notes, file.path)
        try:
            document = await self.conversion.convert(file.note_id, await self._content(file))
            check_note(document.note, "note")
        except InvalidInput as error:
            problem = f"{error.field} {error.problem}"
            raise InvalidInput(str(file), problem, error.fix) from None
        self.documents.append(document)
        return [document.note]

    async def _content(self, file: File | Page) -> bytes:
        if isinstance(file, Page):
            return await self.web.fetch(file.url)
        return await asyncio.to_thread(file.read)
