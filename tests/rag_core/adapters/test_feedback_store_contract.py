"""What readers thought of answers, in memory as in Postgres."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rag_core.adapters.memory import MemoryFeedback
from rag_core.adapters.postgres import Database, PostgresFeedback
from rag_core.clock import ManualClock
from rag_core.domain import MOST_KEPT, Feedback, FeedbackStore, UserId

GOOD = Feedback(
    digest="0" * 64,
    question="What does Paul call grace?",
    thumb="up",
    comment="Just so.",
    note_ids=("grace",),
)


@pytest.fixture(params=["memory", "postgres"])
def store(request: pytest.FixtureRequest) -> FeedbackStore:
    if request.param == "memory":
        return MemoryFeedback(ManualClock())
    database: Database = request.getfixturevalue("database")
    return PostgresFeedback(database)


async def test_what_is_given_is_kept_with_its_time(store: FeedbackStore, user: UserId) -> None:
    await store.put(user, GOOD)
    (kept,) = await store.given(user)
    assert kept.given_at is not None
    assert kept.given_at.tzinfo is not None
    assert replace(kept, given_at=None) == GOOD


async def test_a_second_opinion_on_an_answer_replaces_the_first(
    store: FeedbackStore, user: UserId
) -> None:
    await store.put(user, GOOD)
    await store.put(user, replace(GOOD, digest="1" * 64))
    await store.put(user, replace(GOOD, thumb="down", comment="Not so."))
    other, changed = await store.given(user)
    assert (other.digest, other.thumb) == ("1" * 64, "up")
    assert (changed.thumb, changed.comment) == ("down", "Not so.")


async def test_nobody_sees_or_forgets_what_somebody_else_said(
    store: FeedbackStore, user: UserId, other_user: UserId
) -> None:
    await store.put(user, GOOD)
    assert await store.given(other_user) == []
    await store.forget(other_user)
    assert len(await store.given(user)) == 1
    await store.forget(user)
    assert await store.given(user) == []


async def test_only_the_newest_are_kept(store: FeedbackStore, user: UserId) -> None:
    for number in range(MOST_KEPT + 3):
        await store.put(user, replace(GOOD, question=f"Question {number}?"))
    kept = await store.given(user)
    assert [kept[0].question, kept[-1].question] == ["Question 3?", f"Question {MOST_KEPT + 2}?"]
    assert len(kept) == MOST_KEPT
