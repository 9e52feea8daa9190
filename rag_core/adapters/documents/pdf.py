"""The text of PDF files, its lines joined to paragraphs."""

from __future__ import annotations

import io
import re

from rag_core.adapters.documents.extras import needed
from rag_core.adapters.documents.parsed import Parsed, keywords
from rag_core.errors import InvalidInput

_HYPHEN = re.compile(r"(?<=[a-z])-\n(?=[a-z])")
_BROKEN_LINE = re.compile(r"(?<![.:;!?\n])\n(?=[^\n])")
_NO_TITLE = re.compile(
    r"^(?:microsoft word - |untitled)|\.(?:docx?|pdf|odt|rtf|txt|tex|indd)$", re.I
)
"""What programs write where a title should be."""


def parse_pdf(content: bytes) -> Parsed:
    """The words of every page, and the document's properties.

    Raises:
        InvalidInput: it is encrypted, scanned or broken.
        ConfigurationError: what reads PDF is not installed.
    """
    pypdf = needed("pypdf", "pdf")
    try:
        reader = pypdf.PdfReader(io.BytesIO(content))
        if reader.is_encrypted and not reader.decrypt(""):
            raise InvalidInput("file", "is encrypted", "Save it without a password")
        pages = [page.extract_text() for page in reader.pages]
    except pypdf.errors.DependencyError as error:
        raise InvalidInput("file", "is encrypted", "Save it without a password") from error
    except pypdf.errors.PyPdfError as error:
        raise InvalidInput("file", f"is a broken PDF: {error}", "Save it again") from error
    if not any(map(str.strip, pages)):
        raise InvalidInput("file", "holds no text: its pages are pictures", "Run OCR over it first")
    said = reader.metadata or pypdf.DocumentInformation()
    title, made = said.title or "", said.creation_date
    return Parsed(
        text="\n\n".join(filter(None, map(_paragraphs, pages))),
        title="" if _NO_TITLE.search(title) else title,
        author=said.author or "",
        date=made.date() if made else None,
        tags=keywords(said.keywords or ""),
        pages=len(pages),
        said_in="the document's properties",
    )


def _paragraphs(page: str) -> str:
    """A line goes on in the next one, unless it ends a sentence."""
    lines = "\n".join(line.rstrip() for line in page.strip().splitlines())
    return _BROKEN_LINE.sub(" ", _HYPHEN.sub("", lines))
