"""A session and a reply within one, as their reader gets them over HTTP."""

from __future__ import annotations

import re

import msgspec

from rag_core.app.answer_body import AnswerBody, answer_body
from rag_core.conversation import Reply, Session, Turn
from rag_core.domain.answer import Answer
from rag_core.errors import NotFound

_ID = re.compile(r"[A-Za-z0-9_-]{22}")


class ReplyBody(AnswerBody, frozen=True):
    """An answer within a session: what was asked, and what was answered in its place."""

    session: str
    question: str
    """As it was typed."""
    standalone: str
    """As it was answered: the same, unless it needed what was asked before."""
    resolved_by: str
    """Who made the one of the other: `rules`, a provider's name, or empty where nobody did."""
    resolving_cost_usd: float


class SessionHead(msgspec.Struct, frozen=True):
    """A session without its turns."""

    id: str
    used_at: float
    """Seconds since the Unix epoch."""
    turns: int
    title: str
    """The first question that is kept; empty where none is."""


class SessionList(msgspec.Struct, frozen=True):
    """What GET /sessions gives."""

    sessions: list[SessionHead]


class TurnBody(msgspec.Struct, frozen=True):
    """One question of a session, and its answer where that is still kept and still stands."""

    asked: str
    question: str
    asked_at: float
    notes: tuple[str, ...]
    answer: AnswerBody | None


class SessionBody(msgspec.Struct, frozen=True):
    """What GET /sessions/{id} gives."""

    id: str
    used_at: float
    turns: list[TurnBody]


_encoder = msgspec.json.Encoder()


def encode_reply(reply: Reply) -> bytes:
    """The reply as JSON."""
    answer, resolution = answer_body(reply.answer), reply.resolution
    return _encoder.encode(
        ReplyBody(
            **msgspec.structs.asdict(answer),
            session=reply.session_id,
            question=reply.asked,
            standalone=resolution.question,
            resolved_by=resolution.by,
            resolving_cost_usd=resolution.cost_usd,
        )
    )


def session_head(session: Session) -> SessionHead:
    """The session without its turns."""
    title = session.turns[0].asked if session.turns else ""
    return SessionHead(session.id, session.used_at, len(session.turns), title)


def turn_body(turn: Turn, answer: Answer | None) -> TurnBody:
    """The turn, and its answer if there still is one."""
    shown = answer_body(answer) if answer else None
    return TurnBody(turn.asked, turn.question, turn.asked_at, turn.notes, shown)


def checked_session_id(given: str) -> str:
    """What may be looked for.

    Raises:
        NotFound: no session can have that id.
    """
    if not _ID.fullmatch(given):
        raise NotFound("session", "there is none of that id", "Begin one: POST /sessions")
    return given
