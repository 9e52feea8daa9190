"""The documents of who asks: given, listed, looked at, restored, tagged and deleted."""

from __future__ import annotations

import re
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from rag_core.app.authentication import user_of
from rag_core.app.body import decode_json, read_body
from rag_core.app.document_body import (
    DocumentPage,
    VersionList,
    document_body,
    restore_decoder,
    tags_decoder,
    version_body,
    wanted_documents,
)
from rag_core.app.response import Json
from rag_core.app.service import Service
from rag_core.app.upload import FORM_BYTES, read_upload
from rag_core.documents import Documents, Uploaded
from rag_core.domain.documents import MAX_DOCUMENT_BYTES
from rag_core.errors import InvalidInput, NotFound
from rag_core.settings import Settings

DOCUMENTS = "/documents"
POLL_S = 1
"""Seconds after which it is worth asking again; chosen."""

_ID = re.compile(r"doc-[0-9a-f]{1,64}")
_NO_STORE = {"cache-control": "no-store"}


def upload_bytes(settings: Settings) -> int:
    """Bytes of a request that brings a file, at most."""
    return max(settings.body_bytes, MAX_DOCUMENT_BYTES + FORM_BYTES)


class DocumentRoutes:
    """What is below /documents."""

    def __init__(self, service: Service) -> None:
        self._service = service

    @property
    def _documents(self) -> Documents:
        return self._service.application.documents

    async def list(self, request: Request) -> Response:
        """A page of the user's documents: by tag, author and date, where these are asked for."""
        wanted = wanted_documents(request.query_params)
        with self._service.deadline():
            one_more = replace(wanted, most=wanted.most + 1)
            found = await self._documents.search(user_of(request.scope), one_more)
        shown = [document_body(each) for each in found[: wanted.most]]
        more = shown[-1].id if len(found) > wanted.most else None
        return Json(DocumentPage(shown, more), headers=_NO_STORE)

    async def add(self, request: Request) -> Response:
        """Take a file as a new document: 202, or 200 where the user has given it before."""
        name, content = await read_upload(request)
        with self._service.deadline():
            return _uploaded(await self._documents.add(user_of(request.scope), name, content))

    async def revise(self, request: Request) -> Response:
        """Take a file as the next version: 202, or 200 where it is the newest already."""
        document_id = _id_of(request.scope)
        name, content = await read_upload(request)
        with self._service.deadline():
            user = user_of(request.scope)
            return _uploaded(await self._documents.revise(user, document_id, name, content))

    async def read(self, request: Request) -> Response:
        """One document, and how far its newest version is."""
        document_id = _id_of(request.scope)
        with self._service.deadline():
            found = await self._documents.read(user_of(request.scope), document_id)
        headers = dict(_NO_STORE)
        if found.newest.status in ("queued", "converting"):
            headers["retry-after"] = str(POLL_S)
        return Json(document_body(found), headers=headers)

    async def versions(self, request: Request) -> Response:
        """All versions of a document."""
        document_id = _id_of(request.scope)
        with self._service.deadline():
            found = await self._documents.versions(user_of(request.scope), document_id)
        return Json(VersionList([version_body(each) for each in found]), headers=_NO_STORE)

    async def restore(self, request: Request) -> Response:
        """Make an older version the newest, or undo a deletion."""
        document_id = _id_of(request.scope)
        wanted = decode_json(
            request.scope, await read_body(request.receive) or b"{}", restore_decoder
        )
        version = _version_of(wanted.version)
        with self._service.deadline():
            user = user_of(request.scope)
            return _uploaded(await self._documents.restore(user, document_id, version))

    async def tag(self, request: Request) -> Response:
        """Give a document tags of the user's choice."""
        document_id = _id_of(request.scope)
        wanted = decode_json(request.scope, await read_body(request.receive), tags_decoder)
        with self._service.deadline():
            user = user_of(request.scope)
            return Json(document_body(await self._documents.tag(user, document_id, wanted.tags)))

    async def delete(self, request: Request) -> Response:
        """Delete a document: nothing is answered from it from then on."""
        document_id = _id_of(request.scope)
        with self._service.deadline():
            await self._documents.delete(user_of(request.scope), document_id)
        return Response(status_code=204)


def _uploaded(uploaded: Uploaded) -> Response:
    body = document_body(uploaded.document)
    headers = _NO_STORE | {"location": f"{DOCUMENTS}/{body.id}"}
    return Json(body, status_code=202 if uploaded.changed else 200, headers=headers)


def _version_of(number: float | None) -> int | None:
    if number is None:
        return None
    if not number.is_integer() or not 0 < number < 2**31:
        raise InvalidInput("version", "is no number of a version", "See its versions")
    return int(number)


def _id_of(scope: Scope) -> str:
    document_id: str = scope["path_params"]["id"]
    if not _ID.fullmatch(document_id):
        raise NotFound("id", "there is no such document")
    return document_id
