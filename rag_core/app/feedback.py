"""POST /feedback: what a reader thought of an answer."""

from __future__ import annotations

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from rag_core.app.authentication import user_of
from rag_core.app.body import decode_json, read_body
from rag_core.app.service import Service
from rag_core.domain.feedback import Feedback, Thumb, check_feedback


class FeedbackBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What POST /feedback takes; who gives it is not in it."""

    digest: str
    question: str
    thumb: Thumb
    comment: str = ""
    note_ids: tuple[str, ...] = ()


_decoder = msgspec.json.Decoder(FeedbackBody)


class FeedbackRoute:
    """Keeps a user's opinion of an answer."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def give(self, request: Request) -> Response:
        """Keep it, in place of an earlier one on the same answer: 204."""
        body = decode_json(request.scope, await read_body(request.receive), _decoder)
        feedback = Feedback(**msgspec.structs.asdict(body))
        check_feedback(feedback)
        with self._service.deadline():
            await self._service.application.feedback.put(user_of(request.scope), feedback)
        return Response(status_code=204)
