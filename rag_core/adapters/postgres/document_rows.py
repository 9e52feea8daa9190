"""Stored documents and their versions as they are read."""

from __future__ import annotations

import json
from typing import Any

from rag_core.adapters.postgres.connection import Row
from rag_core.adapters.postgres.database import Database
from rag_core.domain.document_store import (
    DocumentSearch,
    DocumentVersion,
    PendingVersion,
    StoredDocument,
    Upload,
)
from rag_core.domain.documents import Document
from rag_core.domain.notes import Note, Verses
from rag_core.domain.user import UserId

_FIELDS = (
    "version, status, path, uploaded_at, size_bytes, sha256, type, pages, title, author, date,"
    " tags, error, problem"
)
_DOCUMENT = (
    f"SELECT id, live_version, deleted_at, {_FIELDS} FROM documents WHERE user_id = %(user)s"
)
_VERSIONS = f"""
SELECT restored_from, {_FIELDS} FROM document_versions
WHERE user_id = %(user)s AND document_id = %(document)s ORDER BY version DESC
"""
_SEARCH = f"""
{_DOCUMENT} AND id > %(after)s AND (deleted_at IS NOT NULL) = %(deleted)s
    AND (%(tag)s::text IS NULL OR %(tag)s = ANY(tags))
    AND (%(author)s::text IS NULL OR lower(author) = lower(%(author)s))
    AND (%(since)s::date IS NULL OR date >= %(since)s)
    AND (%(until)s::date IS NULL OR date <= %(until)s)
ORDER BY id LIMIT %(most)s
"""


async def read_document(
    database: Database, user: UserId, document_id: str
) -> StoredDocument | None:
    """One document, deleted or not.

    Raises:
        DatabaseUnavailable: Postgres cannot be reached.
    """
    parameters = {"user": user, "document": document_id}
    rows = await database.fetch(f"{_DOCUMENT} AND id = %(document)s", parameters)
    return _document(rows[0]) if rows else None


async def read_versions(
    database: Database, user: UserId, document_id: str
) -> list[DocumentVersion]:
    """All versions of a document, the newest first.

    Raises:
        DatabaseUnavailable: Postgres cannot be reached.
    """
    rows = await database.fetch(_VERSIONS, {"user": user, "document": document_id})
    return [_version(row[1:], restored_from=row[0]) for row in rows]


async def search_documents(
    database: Database, user: UserId, wanted: DocumentSearch
) -> list[StoredDocument]:
    """The documents that are wanted, in order of id.

    Raises:
        DatabaseUnavailable: Postgres cannot be reached.
    """
    parameters = {name: getattr(wanted, name) for name in DocumentSearch.__slots__}
    rows = await database.fetch(_SEARCH, parameters | {"user": user})
    return [_document(row) for row in rows]


def pending_version(row: Row, document_id: str) -> PendingVersion:
    """What `NEXT_PENDING` gives of a version."""
    version, path, content, title, body, author, date, tags, verses, own_tags, live = row
    note = None
    if body is not None:
        spans = tuple(Verses(*verse) for verse in verses)
        note = Note(document_id, title, body, author, date, tuple(tags), spans)
    return PendingVersion(
        version=version,
        path=path,
        content=None if content is None else bytes(content),
        note=note,
        own_tags=None if own_tags is None else tuple(own_tags),
        goes_live=live,
    )


def upload_row(user: UserId, document_id: str, upload: Upload) -> dict[str, Any]:
    """An upload's columns."""
    return {
        "user": user,
        "document": document_id,
        "path": upload.path,
        "size": len(upload.content),
        "sha256": upload.sha256,
        "content": upload.content,
    }


def note_columns(document: Document) -> dict[str, Any]:
    """The columns of what was read of a file."""
    note = document.note
    return {
        "type": str(document.type),
        "pages": document.pages,
        "title": note.title,
        "body": note.body,
        "author": note.author,
        "date": note.date,
        "tags": list(note.tags),
        "verses": json.dumps(note.verses),
    }


def _document(row: Row) -> StoredDocument:
    document_id, live_version, deleted_at, *fields = row
    return StoredDocument(
        id=document_id,
        newest=_version(fields),
        live_version=live_version,
        deleted_at=deleted_at,
    )


def _version(fields: Any, restored_from: int | None = None) -> DocumentVersion:
    names = _FIELDS.replace(",", "").split()
    known = dict(zip(names, fields, strict=True)) | {"restored_from": restored_from}
    return DocumentVersion(**known | {"tags": tuple(known["tags"])})
