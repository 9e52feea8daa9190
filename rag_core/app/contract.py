"""GET /openapi.json: the contract, a reviewed file that tests hold against the application."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

from starlette.requests import Request
from starlette.responses import Response


async def openapi(request: Request) -> Response:
    """The file."""
    return Response(contract(), media_type="application/json")


@cache
def contract() -> bytes:
    """The file's bytes."""
    return files("rag_core.app").joinpath("openapi.json").read_bytes()
