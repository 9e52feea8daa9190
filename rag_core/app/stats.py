"""GET /assistant/stats: what the caches of this process did, and how much they hold."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from rag_core.app.response import Json
from rag_core.app.service import Service


class StatsRoute:
    """Tells of the caches, level by level; of no user."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def read(self, request: Request) -> Response:
        """The counters and sizes."""
        with self._service.deadline():
            levels = await self._service.application.pipeline.stats()
        return Json({"cache": levels}, headers={"cache-control": "no-store"})
