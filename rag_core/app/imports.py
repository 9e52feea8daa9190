"""GET /imports/{id}: how far the storing of a large note is, whichever worker does it."""

from __future__ import annotations

import re

from starlette.requests import Request
from starlette.responses import Response

from rag_core.app.authentication import user_of
from rag_core.app.import_body import import_body
from rag_core.app.response import Json
from rag_core.app.service import Service
from rag_core.errors import NotFound

_ID = re.compile(r"[0-9a-f]{1,64}")

POLL_S = 2
"""Seconds after which it is worth asking again; chosen."""


class ImportRoutes:
    """Tells users of their own imports."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def read(self, request: Request) -> Response:
        """How far one is."""
        import_id = request.path_params["id"]
        if not _ID.fullmatch(import_id):
            raise NotFound("import", "there is none of that id")
        with self._service.deadline():
            imports = self._service.application.imports
            known = await imports.read(user_of(request.scope), import_id)
        headers = {"cache-control": "no-store"}
        if known.state == "running":
            headers["retry-after"] = str(POLL_S)
        return Json(import_body(known), headers=headers)
