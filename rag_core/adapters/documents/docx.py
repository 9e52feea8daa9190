"""Word documents as Markdown."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import Any

from rag_core.adapters.documents.extras import needed
from rag_core.adapters.documents.parsed import Parsed, keywords
from rag_core.errors import InvalidInput

MAX_UNPACKED_BYTES = 100 * 1024 * 1024
"""Ten times what a file may have: text packs to about a fifth, a bomb to a thousandth."""


def parse_docx(content: bytes) -> Parsed:
    """Headings, paragraphs and tables in their order, and the document's properties.

    Raises:
        InvalidInput: it would unpack to more than `MAX_UNPACKED_BYTES`.
        ConfigurationError: what reads DOCX is not installed.
    """
    docx = needed("docx", "docx")
    _check_unpacked(content)
    document = docx.Document(io.BytesIO(content))
    said = document.core_properties
    return Parsed(
        text="\n\n".join(filter(None, _blocks(document))),
        title=said.title or "",
        author=said.author or "",
        date=said.created.date() if said.created else None,
        tags=keywords(said.keywords or ""),
        said_in="the document's properties",
    )


def _check_unpacked(content: bytes) -> None:
    """An archive's parts give no more than they say that they will."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        unpacked = sum(part.file_size for part in archive.infolist())
    if unpacked > MAX_UNPACKED_BYTES:
        problem = f"unpacks to {unpacked:,} bytes, more than {MAX_UNPACKED_BYTES:,}"
        raise InvalidInput("file", problem, "Take the pictures out, or split it")


def _blocks(document: Any) -> Iterator[str]:
    for block in document.iter_inner_content():
        if hasattr(block, "rows"):
            for row in block.rows:
                yield " | ".join(" ".join(cell.text.split()) for cell in row.cells)
        else:
            yield _paragraph(block)


def _paragraph(paragraph: Any) -> str:
    text, style = paragraph.text.strip(), (paragraph.style.name or "") if paragraph.style else ""
    if style == "Title":
        return f"# {text}" if text else ""
    if style.startswith("Heading ") and style[8:].isdigit():
        return f"{'#' * min(int(style[8:]), 6)} {text}" if text else ""
    return f"- {text}" if style.startswith("List") and text else text
