"""Who asks: every path but a few wants a credential."""

from __future__ import annotations

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from rag_core.app.credential import Credential
from rag_core.app.page_routes import page_paths
from rag_core.app.service import Service
from rag_core.domain.user import UserId

OPEN = frozenset({"/health/live", "/health/ready", "/metrics", "/openapi.json"})
"""Paths that tell nothing of any user."""


class Authentication:
    """Puts the request's Credential where the routes find it."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app, self._service = app, service
        self._open = OPEN | page_paths() if service.settings.page else OPEN

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; without a credential that holds, none of a user's."""
        if scope["type"] == "http" and scope["path"] not in self._open:
            credential = await self._service.authenticate(Headers(scope=scope))
            scope["state"]["credential"] = credential
        await self._app(scope, receive, send)


def credential_of(scope: Scope) -> Credential:
    """The credential that the request came with."""
    credential: Credential = scope["state"]["credential"]
    return credential


def user_of(scope: Scope) -> UserId:
    """Who asks: nothing else in a request says so."""
    return credential_of(scope).user
