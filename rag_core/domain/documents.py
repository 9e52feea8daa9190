"""Documents: files as their user gave them, read as notes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol

from rag_core.domain.notes import Note

MAX_DOCUMENT_BYTES = 10 * 1024 * 1024
"""Of a file of one note; JSON lines hold many, and may be longer."""


class DocumentType(StrEnum):
    """What a file is by its content, whatever its name says."""

    TEXT = "text"
    """Plain, or Markdown, with front matter or without."""
    HTML = "html"
    DOCX = "docx"
    PDF = "pdf"


@dataclass(frozen=True, slots=True)
class Document:
    """A file as a note, and what is known of the file."""

    note: Note
    type: DocumentType
    size_bytes: int
    sha256: str
    """Of the file's content, in hex."""
    pages: int | None = None
    """Of a PDF."""
    sources: Mapping[str, str] = field(default_factory=dict)
    """Where the title, the date and such were taken from, in words; by field of the note."""


class Converter(Protocol):
    """Reads files as notes, within bounds."""

    async def convert(self, note_id: str, content: bytes) -> Document:
        """A file as a note of that id, unless the file gives itself one.

        Raises:
            InvalidInput: the file cannot be read.
            ConfigurationError: what reads its type is not installed.
        """
        ...
