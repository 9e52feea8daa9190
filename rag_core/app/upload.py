"""A file in a request: as the whole body, or in a form as browsers send it."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartException, MultiPartParser
from starlette.requests import Request

from rag_core.app.body import read_body
from rag_core.domain.documents import MAX_DOCUMENT_BYTES
from rag_core.errors import InvalidInput

FORM_BYTES = 65_536
"""Bytes that a form may take beside its file."""
FIELD = "file"


class _InMemory(MultiPartParser):
    """Writes nothing to a disk, however large the file."""

    spool_max_size = MAX_DOCUMENT_BYTES + FORM_BYTES


async def read_upload(request: Request) -> tuple[str, bytes]:
    """The name and the content of the file that was sent; `name` in the query goes before all.

    Raises:
        InvalidInput: there is no file in the form, or no name anywhere.
        HTTPException: 400, the form is none.
        ClientGone: it ends before its end.
    """
    body = await read_body(request.receive)
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    name = request.query_params.get("name", "")
    if kind != "multipart/form-data":
        if not name:
            raise InvalidInput("name", "is missing", "Say ?name=talk.pdf, or send a form")
        return name, body
    file = await _file_of(request, body)
    try:
        return name or file.filename or "", await file.read()
    finally:
        await file.close()


async def _file_of(request: Request, body: bytes) -> UploadFile:
    async def whole() -> AsyncGenerator[bytes, None]:
        yield body

    try:
        form = await _InMemory(request.headers, whole(), max_files=1, max_fields=0).parse()
    except MultiPartException as error:
        raise HTTPException(400, f"The form cannot be read: {error.message}") from None
    file = form.get(FIELD)
    if not isinstance(file, UploadFile):
        raise InvalidInput(FIELD, "is not in the form", f"Send the file as the field {FIELD!r}")
    return file
