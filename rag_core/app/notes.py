"""The notes of who asks: listed, read, written and deleted, each in the version that was seen."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from rag_core.app.authentication import user_of
from rag_core.app.body import decode_json, read_body
from rag_core.app.entity_tag import condition_of, entity_tag, is_known
from rag_core.app.import_body import import_body
from rag_core.app.note_body import (
    NotePage,
    note_decoder,
    note_id_of,
    note_of,
    stored_note,
)
from rag_core.app.paging import limit_of
from rag_core.app.response import Json
from rag_core.app.service import Service
from rag_core.domain.condition import Condition
from rag_core.domain.notes import Note
from rag_core.domain.user import UserId
from rag_core.errors import InvalidInput, NotFound


class NoteRoutes:
    """GET /notes, and GET, PUT and DELETE /notes/{id}."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._inline_characters = service.settings.import_characters

    async def list(self, request: Request) -> Response:
        """A page of the user's notes."""
        most = limit_of(request.query_params)
        after = _after(request.query_params.get("after", ""))
        with self._service.deadline():
            notes = self._service.application.notes
            heads = await notes.page(user_of(request.scope), after=after, most=most + 1)
        more = heads[most - 1].id if len(heads) > most else None
        return Json(NotePage(heads[:most], more))

    async def read(self, request: Request) -> Response:
        """One note; 304 where the reader has it already."""
        note_id = note_id_of(request.scope)
        with self._service.deadline():
            note = await self._service.application.notes.note(user_of(request.scope), note_id)
        if note is None:
            raise _missing(note_id)
        headers = {"etag": entity_tag(note.version), "cache-control": "private, no-cache"}
        if is_known(request.headers, note.version):
            return Response(status_code=304, headers=headers)
        return Json(stored_note(note), headers=headers)

    async def write(self, request: Request) -> Response:
        """Store a note: 201 or 200, or 202 where that takes so long that one had better ask."""
        note_id, condition = note_id_of(request.scope), condition_of(request.headers)
        sent = decode_json(request.scope, await read_body(request.receive), note_decoder)
        note, user = note_of(note_id, sent), user_of(request.scope)
        with self._service.deadline():
            await self._refuse_of_document(user, note_id)
            if len(note.body) > self._inline_characters:
                return await self._import(user, note, condition)
            kept = await self._service.application.ingest.keep(user, note, condition)
        headers = {"etag": entity_tag(kept.version)}
        if kept.created:
            headers["location"] = request.scope["raw_path"].decode("ascii")
        body = {"id": note.id, "version": kept.version}
        return Json(body, status_code=201 if kept.created else 200, headers=headers)

    async def delete(self, request: Request) -> Response:
        """Delete a note: it is found by nobody from then on."""
        note_id, condition = note_id_of(request.scope), condition_of(request.headers)
        user = user_of(request.scope)
        with self._service.deadline():
            await self._refuse_of_document(user, note_id)
            if not await self._service.application.notes.delete(user, note_id, condition):
                raise _missing(note_id)
        return Response(status_code=204)

    async def _refuse_of_document(self, user: UserId, note_id: str) -> None:
        """Its next version, or a restored one, would undo what was done behind its back."""
        if await self._service.application.documents.keeps(user, note_id):
            fix = f"Use /documents/{note_id} in its place"
            raise InvalidInput("id", "is of a document's note, which follows its file", fix)

    async def _import(self, user: UserId, note: Note, condition: Condition) -> Response:
        begun = await self._service.application.imports.begin(user, note, condition)
        headers = {"location": f"/imports/{begun.id}"}
        return Json(import_body(begun), status_code=202, headers=headers)


def _missing(note_id: str) -> NotFound:
    return NotFound("id", f"there is no note {note_id!r}")


def _after(given: str) -> str:
    if "\x00" in given:
        raise InvalidInput("after", "is not what `next` said")
    return given
