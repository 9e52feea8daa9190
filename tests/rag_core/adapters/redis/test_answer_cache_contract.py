"""What every AnswerCache does, in memory and on Redis alike."""

from __future__ import annotations

from dataclasses import replace

from rag_core.cache import AnswerCache, Epoch, answer_key
from rag_core.clock import ManualClock
from rag_core.domain import Provenance, Question, UserId
from tests.rag_core.cache.parts import answer, cached_answer

QUESTION = Question("What is grace?")


def key_of(user: UserId, text: str = QUESTION.text) -> str:
    return answer_key(user, Question(text), "pipeline")


async def test_an_answer_comes_back_equal_in_every_field(
    answers: AnswerCache, user: UserId, clock: ManualClock
) -> None:
    """Dates, flags, citations, other scripts, control characters, tiny numbers."""
    stored = cached_answer(clock)
    await answers.put(key_of(user), stored)
    assert await answers.get(key_of(user)) == stored


async def test_an_answer_that_found_nothing_comes_back_equal(
    answers: AnswerCache, user: UserId, clock: ManualClock
) -> None:
    nothing = answer("", provenance=Provenance.NO_CONTEXT, citations=())
    stored = cached_answer(clock, answer=nothing)
    await answers.put(key_of(user), stored)
    assert await answers.get(key_of(user)) == stored


async def test_what_was_never_put_is_not_there(answers: AnswerCache, user: UserId) -> None:
    assert await answers.get(key_of(user)) is None


async def test_a_later_put_replaces_the_answer(
    answers: AnswerCache, user: UserId, clock: ManualClock
) -> None:
    await answers.put(key_of(user), cached_answer(clock))
    newer = cached_answer(clock, "epoch-2", answer=answer("Another."))
    await answers.put(key_of(user), newer)
    assert await answers.get(key_of(user)) == newer


async def test_an_answer_is_there_past_its_soft_ttl_and_gone_at_its_hard_ttl(
    answers: AnswerCache, user: UserId, clock: ManualClock
) -> None:
    await answers.put(key_of(user), cached_answer(clock, hard_s=600))
    clock.advance(599)
    found = await answers.get(key_of(user))
    assert found is not None
    assert found.soft_expires_at < clock.now()
    clock.advance(1)
    assert await answers.get(key_of(user)) is None


async def test_putting_it_again_does_not_lengthen_an_answers_life(
    answers: AnswerCache, user: UserId, clock: ManualClock
) -> None:
    stored = cached_answer(clock, hard_s=600)
    clock.advance(599)
    await answers.put(key_of(user), replace(stored, epoch=Epoch("epoch-2")))
    clock.advance(1)
    assert await answers.get(key_of(user)) is None


async def test_an_answer_whose_life_is_over_is_not_there(
    answers: AnswerCache, user: UserId, clock: ManualClock
) -> None:
    dead = cached_answer(clock, hard_s=600)
    clock.advance(601)
    await answers.put(key_of(user), dead)
    assert await answers.get(key_of(user)) is None


async def test_users_never_share_an_answer(
    answers: AnswerCache, user: UserId, other_user: UserId, clock: ManualClock
) -> None:
    await answers.put(key_of(user), cached_answer(clock))
    assert await answers.get(key_of(other_user)) is None


async def test_a_user_is_forgotten_whole_and_nobody_else(
    answers: AnswerCache, user: UserId, other_user: UserId, clock: ManualClock
) -> None:
    """One user's name is the beginning of another's."""
    longer = UserId(f"{user}0")
    texts = [f"Question {number}?" for number in range(30)]
    for one in (user, other_user, longer):
        for text in texts:
            await answers.put(key_of(one, text), cached_answer(clock))
    await answers.forget(user)
    assert [await answers.get(key_of(user, text)) for text in texts] == [None] * 30
    for one in (other_user, longer):
        assert None not in [await answers.get(key_of(one, text)) for text in texts]


async def test_forgetting_a_user_who_has_no_answers_does_nothing(
    answers: AnswerCache, user: UserId
) -> None:
    await answers.forget(user)


async def test_size_counts_answers(answers: AnswerCache, user: UserId, clock: ManualClock) -> None:
    added = [await added_by_three(answers, UserId(f"{user}-{turn}"), clock) for turn in range(3)]
    assert 3 in added
    assert max(added) == 3


async def added_by_three(answers: AnswerCache, user: UserId, clock: ManualClock) -> int:
    """What three new answers, one kept twice, add to the count; an old one may end meanwhile."""
    before = (await answers.size()).entries
    for number in (0, 1, 2, 0):
        await answers.put(key_of(user, f"Question {number}?"), cached_answer(clock))
    after = (await answers.size()).entries
    assert before is not None
    assert after is not None
    return after - before
