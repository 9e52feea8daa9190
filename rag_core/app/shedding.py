"""Turning away what would come too late anyway, before it costs much."""

from __future__ import annotations

from starlette.types import ASGIApp, Receive, Scope, Send

from rag_core.app.service import Service
from rag_core.errors import Overloaded
from rag_core.events import RequestShed

QUESTIONS = "/assistant/query"
"""The path whose requests are many and dear."""


class Shedding:
    """Lets in as many questions as the process has places for; see `Concurrency`."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app, self._service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; raises Overloaded where there is no place for a question."""
        if not is_question(scope):
            await self._app(scope, receive, send)
            return
        application = self._service.application
        places = application.places
        place = places.enter()
        try:
            if place is None:
                raise Overloaded("too many questions are under way")
            await self._app(scope, receive, send)
        except Overloaded:  # at the door, or where no cache had its answer
            application.listener(RequestShed(places.limit))
            raise
        finally:
            if place:
                place.leave()


def is_question(scope: Scope) -> bool:
    """Whether a request asks a question."""
    asked: bool = (
        scope["type"] == "http" and scope["path"] == QUESTIONS and scope["method"] == "POST"
    )
    return asked
