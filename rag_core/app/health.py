"""Health: whether this process answers at all, and whether it should be sent requests."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from rag_core.app.response import Json
from rag_core.app.service import Service
from rag_core.bootstrap.readiness import Health

_HEADERS = {"cache-control": "no-store"}
_STOPPING = Health("down", ("the server is shutting down",))


async def live(request: Request) -> Response:
    """Always well: whoever cannot answer does not."""
    return Json({"status": "ok"}, headers=_HEADERS)


class ReadyRoute:
    """200 where questions are answered, with reasons if not as they should be; else 503."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def read(self, request: Request) -> Response:
        """How well the application is."""
        stopping = self._service.stopping
        health = _STOPPING if stopping else await self._service.application.readiness.check()
        status = 503 if health.status == "down" else 200
        return Json(health, status_code=status, headers=_HEADERS)
