"""What a file is, told by its first bytes and, of an archive, by what lies in it."""

from __future__ import annotations

import io
import re
import zipfile

from rag_core.domain.documents import DocumentType
from rag_core.errors import InvalidInput

_PDF_HEADER_WITHIN = 1024
"""Bytes before a PDF's header that readers put up with (PDF 32000-1:2008, annex H.3.4.1)."""
_HTML = re.compile(
    rb"\s*(?:<\?xml[^>]*>\s*)?(?:<!--.*?-->\s*)*<(?:!doctype\s+html|html|head|body)\b"
)
_WORD_PART = "word/document.xml"
_READABLE = "Give Markdown, text, HTML, DOCX, PDF or JSON lines"


def document_type(content: bytes) -> DocumentType:
    """The type of a whole file; anything without NUL bytes may be text.

    Raises:
        InvalidInput: it is of no type that can be read.
    """
    if b"%PDF-" in content[:_PDF_HEADER_WITHIN]:
        return DocumentType.PDF
    if content.startswith(b"PK\x03\x04"):
        return _archived(content)
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):
        return DocumentType.TEXT  # UTF-16
    if b"\0" in content:
        raise InvalidInput("file", "holds no text: it is binary", _READABLE)
    start = content[:4096].removeprefix(b"\xef\xbb\xbf").lower()
    return DocumentType.HTML if _HTML.match(start) else DocumentType.TEXT


def _archived(content: bytes) -> DocumentType:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
    except (zipfile.BadZipFile, ValueError, NotImplementedError) as error:
        raise InvalidInput("file", f"is a broken archive: {error}", "Save it again") from error
    if _WORD_PART not in names:
        raise InvalidInput("file", "is an archive, and no DOCX", _READABLE)
    return DocumentType.DOCX
