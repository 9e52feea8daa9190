"""Files below the paths that somebody gave, with the ids that their notes have."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rag_core.domain.documents import MAX_DOCUMENT_BYTES
from rag_core.domain.notes import MAX_ID_CHARACTERS
from rag_core.errors import InvalidInput

STANDARD_INPUT = Path("-")
_URL = re.compile(r"https?://", re.IGNORECASE)
_JSON_LINES = (".jsonl", ".ndjson")


@dataclass(frozen=True, slots=True)
class File:
    """A file, and the id of its note: its path below the folder that was given, or its name."""

    path: Path
    note_id: str

    def __str__(self) -> str:
        return str(self.path)

    @property
    def holds_lines(self) -> bool:
        """Whether it holds JSON lines, a note each; the one type that its name tells."""
        return self.path.suffix.lower() in _JSON_LINES

    @property
    def changed_at(self) -> float:
        """When it was last changed, in seconds since 1970; of what is read now, now."""
        return time.time() if self.path == STANDARD_INPUT else self.path.stat().st_mtime

    def read(self) -> bytes:
        """All of it, or somewhat more than a document may have.

        Raises:
            InvalidInput: it cannot be read.
        """
        if self.path == STANDARD_INPUT:
            return sys.stdin.buffer.read(MAX_DOCUMENT_BYTES + 1)
        try:
            with self.path.open("rb") as file:
                return file.read(MAX_DOCUMENT_BYTES + 1)
        except OSError as error:
            raise InvalidInput("file", f"cannot be read: {error.strerror}") from error


@dataclass(frozen=True, slots=True)
class Page:
    """A document on the web; its note's id is the URL without the scheme."""

    url: str
    holds_lines = False

    def __str__(self) -> str:
        return self.url

    @property
    def changed_at(self) -> float:
        """Seconds since 1970; see `File`: as it is read now."""
        return time.time()

    @property
    def note_id(self) -> str:
        """See `File`."""
        return _URL.sub("", self.url)[:MAX_ID_CHARACTERS]


def found_at(places: Iterable[str]) -> Iterator[File | Page]:
    """Every file and page, the files of a folder in order of their paths.

    What is hidden, and what a symbolic link below a folder leads to, is left out.

    Raises:
        InvalidInput: there is nothing at a path.
    """
    for place in places:
        path = Path(place)
        if _URL.match(place):
            yield Page(place)
        elif path != STANDARD_INPUT and path.is_dir():
            for each in sorted(path.rglob("*")):
                below = each.relative_to(path)
                hidden = any(part.startswith(".") for part in below.parts)
                if not hidden and not each.is_symlink() and each.is_file():
                    yield File(each, below.as_posix())
        elif path == STANDARD_INPUT or path.is_file():
            yield File(path, "standard-input" if path == STANDARD_INPUT else path.name)
        else:
            raise InvalidInput(str(path), "is no file and no folder", "Check the path")
