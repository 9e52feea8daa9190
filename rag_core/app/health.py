"""GET /health/live: whether this process answers at all."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response


async def live(request: Request) -> Response:
    """Always well: whoever cannot answer does not."""
    return JSONResponse({"status": "ok"})
