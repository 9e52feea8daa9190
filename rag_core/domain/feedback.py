"""Feedback: what a reader thought of an answer."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from rag_core.domain.notes import MAX_ID_CHARACTERS
from rag_core.domain.question import MAX_CHARACTERS
from rag_core.domain.user import UserId
from rag_core.errors import InvalidInput

Thumb = Literal["up", "down"]

MAX_COMMENT_CHARACTERS = 2_000
"""Chosen: a page."""
MAX_CITED_NOTES = 50
"""Many more than a context holds."""

MOST_KEPT = 1_000
"""Opinions of a user that are kept, the newest; chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Feedback:
    """A thumb, and perhaps a comment, on one answer; of its text only the digest is kept."""

    digest: str
    """The answer's; see `Answer.digest`."""
    question: str
    """As it was answered."""
    thumb: Thumb
    comment: str = ""
    note_ids: tuple[str, ...] = ()
    """The notes that the answer cited."""
    given_at: datetime | None = None
    """Aware; None until it is stored."""

    @property
    def id(self) -> str:
        """Of the question and the answer: who changes his mind has one opinion, not two."""
        return hashlib.sha256(f"{self.digest}\n{self.question}".encode()).hexdigest()


class FeedbackStore(Protocol):
    """Where opinions are kept; each bound to a user."""

    async def put(self, user: UserId, feedback: Feedback) -> None:
        """Keep it in place of an earlier one on the same answer; forget all but the newest."""
        ...

    async def given(self, user: UserId) -> list[Feedback]:
        """Those of the user that are kept, the oldest first."""
        ...

    async def forget(self, user: UserId) -> None:
        """Keep none of the user's."""
        ...


def check_feedback(feedback: Feedback) -> None:
    """Hold every field to its bounds.

    Raises:
        InvalidInput: names the field and the fix.
    """
    texts = {"question": feedback.question, "comment": feedback.comment}
    for field, text in (*texts.items(), *(("note_ids", each) for each in feedback.note_ids)):
        if "\x00" in text:
            raise InvalidInput(field, "holds a NUL character", "Remove it")
        if any("\ud800" <= letter <= "\udfff" for letter in text):
            raise InvalidInput(field, "holds half of a surrogate pair", "Write the whole character")
    if len(feedback.digest) != 64 or not set(feedback.digest) <= set("0123456789abcdef"):
        raise InvalidInput("digest", "is none", "Send the digest that came with the answer")
    for field, text, most in (
        ("question", feedback.question, MAX_CHARACTERS),
        ("comment", feedback.comment, MAX_COMMENT_CHARACTERS),
    ):
        if len(text) > most:
            raise InvalidInput(field, f"has more than {most:,} characters", "Shorten it")
    if len(feedback.note_ids) > MAX_CITED_NOTES:
        raise InvalidInput("note_ids", f"are more than {MAX_CITED_NOTES}", "Send those cited")
    if any(not 0 < len(each) <= MAX_ID_CHARACTERS for each in feedback.note_ids):
        raise InvalidInput("note_ids", "hold one that no note can have", "Send those cited")
