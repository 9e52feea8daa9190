"""The sessions of who asks: begun, listed, read, reset and deleted."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from rag_core.app.authentication import user_of
from rag_core.app.response import Json
from rag_core.app.service import Service
from rag_core.app.session_body import (
    SessionBody,
    SessionList,
    checked_session_id,
    session_head,
    turn_body,
)

_NO_STORE = {"cache-control": "no-store"}


class SessionRoutes:
    """POST and GET /sessions; GET and DELETE /sessions/{id}, and POST /sessions/{id}/reset."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def begin(self, request: Request) -> Response:
        """A new session: 201."""
        with self._service.deadline():
            begun = await self._service.application.conversations.begin(user_of(request.scope))
        headers = {**_NO_STORE, "location": f"/sessions/{begun.id}"}
        return Json(session_head(begun), status_code=201, headers=headers)

    async def list(self, request: Request) -> Response:
        """The user's sessions, the one last used first."""
        with self._service.deadline():
            known = await self._service.application.conversations.sessions(user_of(request.scope))
        return Json(SessionList([session_head(each) for each in known]), headers=_NO_STORE)

    async def read(self, request: Request) -> Response:
        """One session with its turns, and those of their answers that stand."""
        session_id = checked_session_id(request.path_params["id"])
        user, application = user_of(request.scope), self._service.application
        with self._service.deadline():
            known = await application.conversations.read(user, session_id)
            recall = application.rollout.recall(user)
            turns = [
                turn_body(turn, await recall.answer(turn.question, user)) for turn in known.turns
            ]
        return Json(SessionBody(known.id, known.used_at, turns), headers=_NO_STORE)

    async def reset(self, request: Request) -> Response:
        """Forget what was asked in it: 204."""
        session_id = checked_session_id(request.path_params["id"])
        with self._service.deadline():
            conversations = self._service.application.conversations
            await conversations.reset(user_of(request.scope), session_id)
        return Response(status_code=204)

    async def delete(self, request: Request) -> Response:
        """Remove it: 204."""
        session_id = checked_session_id(request.path_params["id"])
        with self._service.deadline():
            conversations = self._service.application.conversations
            await conversations.delete(user_of(request.scope), session_id)
        return Response(status_code=204)
