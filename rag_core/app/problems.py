"""Errors on their way out become problems."""

from __future__ import annotations

import asyncio
import logging

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from rag_core.app.request_context import exchange_of
from rag_core.app.response import send_problem
from rag_core.app.service import Service
from rag_core.errors import RagError

_log = logging.getLogger(__name__)


class Problems:
    """Tells the client of an error that rag_core raises on purpose.

    Where a part of the response is sent already, the error goes on, and the server cuts it off.
    Requests that the server gives up because it stops are told so.
    """

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app, self._service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        try:
            await self._app(scope, receive, send)
        except (RagError, HTTPException) as error:
            if scope["type"] != "http" or exchange_of(scope).started:
                raise
            await send_problem(scope, send, error)
        except asyncio.CancelledError as given_up:
            if not self._service.stopping:
                raise
            if not exchange_of(scope).started:
                await send_problem(scope, send, given_up)


class ToldProblem(Response):
    """A problem as the response of an exception handler of Starlette's."""

    def __init__(self, error: Exception, *, outside: bool = False) -> None:
        self._error, self._outside = error, outside

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it; `outside` of the request's context, its id is added here."""
        await send_problem(scope, exchange_of(scope).send if self._outside else send, self._error)


async def tell_http_error(request: Request, error: Exception) -> Response:
    """404 and 405, which the router raises."""
    return ToldProblem(error)


async def tell_unforeseen(request: Request, error: Exception) -> Response:
    """500, and nothing else; Starlette raises the error again, and the server logs it."""
    exchange = exchange_of(request.scope)
    _log.error("request %s failed: %s", exchange.request_id, type(error).__name__)
    return ToldProblem(error, outside=True)
