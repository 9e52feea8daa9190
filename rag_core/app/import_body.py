"""How far an import is, as its writer reads it."""

from __future__ import annotations

import msgspec

from rag_core import errors
from rag_core.app.problem import INTERNAL, KINDS, Kind
from rag_core.domain.imports import ImportState, NoteImport

_LOST = "The server that stored the note is gone; send the note again."


class ImportBody(msgspec.Struct, frozen=True, omit_defaults=True):
    """What GET /imports/{id} gives."""

    id: str
    note_id: str
    version: str
    """The note's version, and its entity tag, once it is stored."""
    state: ImportState
    code: str = ""
    """Of the problem that it failed with."""
    detail: str = ""
    retryable: bool = False
    """Whether it helps to send the note again as it is."""


def import_body(known: NoteImport) -> ImportBody:
    """The import as its writer reads it."""
    shown = ImportBody(known.id, known.note_id, known.version, known.state)
    if known.state == "lost":
        return msgspec.structs.replace(shown, code="lost", detail=_LOST, retryable=True)
    if known.state != "failed":
        return shown
    kind = kind_named(known.error)
    detail = kind.detail or known.problem
    return msgspec.structs.replace(shown, code=kind.code, detail=detail, retryable=kind.retryable)


def kind_named(error: str) -> Kind:
    """What an error is over HTTP, by the name of its class."""
    return next((KINDS[each] for each in _mro(error) if each in KINDS), INTERNAL)


def _mro(name: str) -> tuple[type, ...]:
    """An error's class and its bases, by the name of the class."""
    return getattr(errors, name, errors.RagError).__mro__
