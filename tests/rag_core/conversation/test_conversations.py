"""A question within a session: what is kept of it, and how long."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from datetime import date
from typing import ClassVar

import pytest

from rag_core.adapters.memory import MemoryNotes, MemorySessions
from rag_core.clock import ManualClock
from rag_core.conversation import Conversations, Resolver
from rag_core.domain import Answer, Citation, EmbeddedNote, Provenance, UserId
from rag_core.errors import DatabaseUnavailable
from tests.rag_core.library import note


def citing(*notes: str) -> Answer:
    cited = (
        Citation(number, each, each, each, date(2026, 1, 1), (), "quote", 0, 5)
        for number, each in enumerate(notes, 1)
    )
    return Answer("text", Provenance.FRESH, citations=tuple(cited))


class Answers:
    """Answers in turn, whatever is asked."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = list(answers)
        self.asked: list[str] = []

    async def answer(self, question: str, user: UserId) -> Answer:
        self.asked.append(question)
        return self._answers.pop(0)

    async def stream(self, question: str, user: UserId) -> AsyncGenerator[str | Answer, None]:
        yield "text"
        yield await self.answer(question, user)


class Notes(MemoryNotes):
    """Notes that may not be to be had."""

    away: ClassVar[bool] = False

    async def stored_notes(self, *args: object, **named: object) -> object:  # type: ignore[override]
        if type(self).away:
            raise DatabaseUnavailable("Postgres cannot be reached")
        return await super().stored_notes(*args, **named)  # type: ignore[arg-type]


@pytest.fixture
async def notes(user: UserId) -> MemoryNotes:
    kept = Notes(embedder_digest="d", clock=ManualClock())
    for each in ("grace", "storm"):
        await kept.replace(user, [EmbeddedNote(note(each), (), ())], chunking="c", embedder="d")
    return kept


@pytest.fixture
def conversations(notes: MemoryNotes) -> Conversations:
    clock = ManualClock()
    return Conversations(
        store=MemorySessions(clock=clock, most_turns=25, ttl_s=60),
        notes=notes,
        resolver=Resolver(),
        clock=clock,
        request_s=5,
        redis_s=1,
    )


async def test_a_follow_up_goes_with_the_note_that_the_question_before_it_rests_on(
    conversations: Conversations, notes: MemoryNotes, user: UserId
) -> None:
    """Its words are in the question that was made of the follow-up."""
    session_id = (await conversations.begin(user)).id
    by = Answers(citing("grace"), citing("storm"), citing("storm"))
    for asked in ("What is grace?", "And then?", "What calmed the storm?"):
        await conversations.answer(by, asked, user, session_id)
    assert by.asked[1] == "What is grace? And then?"
    await notes.delete(user, "grace")
    left = (await conversations.read(user, session_id)).turns
    assert [turn.asked for turn in left] == ["What calmed the storm?"]


async def test_where_nobody_can_say_which_notes_are_there_nothing_is_told(
    conversations: Conversations, user: UserId, monkeypatch: pytest.MonkeyPatch
) -> None:
    session_id = (await conversations.begin(user)).id
    by = Answers(citing("grace"), citing("grace"))
    await conversations.answer(by, "What is grace?", user, session_id)
    monkeypatch.setattr(Notes, "away", True)
    with pytest.raises(DatabaseUnavailable):
        await conversations.read(user, session_id)
    with pytest.raises(DatabaseUnavailable):
        await conversations.answer(by, "And then?", user, session_id)


async def test_a_stream_that_is_left_early_is_not_kept(
    conversations: Conversations, user: UserId
) -> None:
    session_id = (await conversations.begin(user)).id
    stream = conversations.stream(Answers(citing("grace")), "What is grace?", user, session_id)
    assert await anext(stream) == "text"
    await stream.aclose()
    assert (await conversations.read(user, session_id)).turns == ()


async def test_a_session_that_is_deleted_meanwhile_does_not_come_back(
    conversations: Conversations, user: UserId
) -> None:
    session_id = (await conversations.begin(user)).id
    stream = conversations.stream(Answers(citing("grace")), "What is grace?", user, session_id)
    await anext(stream)
    await conversations.delete(user, session_id)
    async for _ in stream:
        pass
    assert await conversations.sessions(user) == []
