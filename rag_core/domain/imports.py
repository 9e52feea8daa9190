"""Imports: notes too large to be stored while their writer waits."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

from rag_core.domain.user import UserId

ImportState = Literal["running", "done", "failed", "lost"]

LOST_AFTER_S = 20.0
"""A worker that has not been heard of for so long is taken for dead; four beats, chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NoteImport:
    """How far the import of a note has come."""

    id: str
    note_id: str
    version: str
    """Of the note as it was sent."""
    state: ImportState = "running"
    """`lost`: the worker that did it is gone, and the note is to be sent again."""
    error: str = ""
    """The class of what it failed with."""
    problem: str = ""
    """What it failed with, in words for the note's writer."""


class ImportRecords(Protocol):
    """Where imports are kept, for every process to see; each bound to a user."""

    async def begin(self, user: UserId, record: NoteImport) -> None:
        """Keep a new one, and forget those of the user that began more than a day ago."""
        ...

    async def beat(self, user: UserId, import_id: str) -> None:
        """Its worker is alive."""
        ...

    async def end(
        self,
        user: UserId,
        import_id: str,
        state: ImportState,
        *,
        error: str = "",
        problem: str = "",
    ) -> None:
        """It has come to its end."""
        ...

    async def forget(self, user: UserId) -> None:
        """Keep none of the user's; one that runs goes on, and is not heard of."""
        ...

    async def read(self, user: UserId, import_id: str) -> NoteImport | None:
        """The user's import of that id; `lost` where it runs and its worker is silent."""
        ...
