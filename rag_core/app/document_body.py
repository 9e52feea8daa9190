"""A document as it is read over HTTP, and what is asked of it."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import msgspec
from starlette.datastructures import QueryParams

from rag_core.app.import_body import kind_named
from rag_core.app.paging import limit_of
from rag_core.domain.document_store import (
    DocumentSearch,
    DocumentStatus,
    DocumentVersion,
    StoredDocument,
)
from rag_core.errors import InvalidInput


class VersionBody(msgspec.Struct, frozen=True, kw_only=True):
    """A version of a document, without what it says."""

    version: int
    status: DocumentStatus
    path: str
    uploaded_at: datetime
    size_bytes: int
    sha256: str
    type: str | None
    pages: int | None
    title: str
    author: str
    date: date | None
    tags: tuple[str, ...]
    restored_from: int | None
    code: str
    """Of the problem that it failed with; empty where it did not."""
    detail: str
    retryable: bool
    """Whether somebody can try it again without another file."""


class DocumentBody(VersionBody, frozen=True, kw_only=True):
    """A document by its newest version."""

    id: str
    live_version: int | None
    deleted_at: datetime | None


class DocumentPage(msgspec.Struct, frozen=True):
    """What GET /documents gives."""

    documents: list[DocumentBody]
    next: str | None
    """To be given as `after` for those that follow; null after the last."""


class VersionList(msgspec.Struct, frozen=True):
    """What GET /documents/{id}/versions gives."""

    versions: list[VersionBody]


class RestoreBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What POST /documents/{id}/restore takes."""

    version: float | None = None
    """A whole number, which JSON may write as 4.0, too."""


class TagsBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What PUT /documents/{id}/tags takes."""

    tags: tuple[str, ...]


restore_decoder = msgspec.json.Decoder(RestoreBody)
tags_decoder = msgspec.json.Decoder(TagsBody)


def version_body(known: DocumentVersion) -> VersionBody:
    """A version as its user reads it."""
    return VersionBody(**_fields(known))


def document_body(known: StoredDocument) -> DocumentBody:
    """A document as its user reads it."""
    return DocumentBody(
        **_fields(known.newest),
        id=known.id,
        live_version=known.live_version,
        deleted_at=known.deleted_at,
    )


def wanted_documents(query: QueryParams) -> DocumentSearch:
    """The search that a query string asks for.

    Raises:
        InvalidInput: a parameter cannot be used.
    """
    given = {name: query.get(name) for name in ("tag", "author")}
    for name, text in (*given.items(), ("after", query.get("after"))):
        if text and "\0" in text:
            raise InvalidInput(name, "holds a NUL character", "Remove it")
    return DocumentSearch(
        tag=given["tag"],
        author=given["author"],
        since=_day(query, "from"),
        until=_day(query, "to"),
        deleted=_yes(query, "deleted"),
        after=query.get("after", ""),
        most=limit_of(query),
    )


def _fields(known: DocumentVersion) -> dict[str, Any]:
    fields: dict[str, Any] = {name: getattr(known, name) for name in DocumentVersion.__slots__}
    error, problem = fields.pop("error"), fields.pop("problem")
    kind = kind_named(error) if known.status == "failed" else None
    return fields | {
        "code": kind.code if kind else "",
        "detail": (problem or kind.detail) if kind else "",
        "retryable": bool(kind and not problem),
    }


def _yes(query: QueryParams, name: str) -> bool:
    given = query.get(name, "false")
    if given not in ("true", "false"):
        raise InvalidInput(name, "is neither true nor false")
    return given == "true"


def _day(query: QueryParams, name: str) -> date | None:
    given = query.get(name)
    if given is None:
        return None
    try:
        return date.fromisoformat(given)
    except ValueError:
        raise InvalidInput(name, "is no day", "Days are written 2024-05-12") from None
