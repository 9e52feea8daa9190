"""What every AnswerCache does, in memory and on Redis alike."""

from __future__ import annotations

from dataclasses import replace

from rag_core.answer import Provenance
from rag_core.cache.answers import AnswerCache, Look
from rag_core.cache.epochs import Epoch
from rag_core.cache.keys import answer_key
from rag_core.clock import ManualClock
from rag_core.question import Question
from rag_core.user import UserId
from tests.rag_core.cache.parts import ANSWER, EpochLedger, answer, entry

QUESTION = Question("What is grace?")


def key_of(user: UserId, text: str = QUESTION.text) -> str:
    return answer_key(user, Question(text), "pipeline")


async def test_an_entry_comes_back_equal_in_every_field(
    answers: AnswerCache, user: UserId, clock: ManualClock, ledger: EpochLedger
) -> None:
    """Dates, flags, citations, other scripts, control characters, tiny numbers."""
    ledger.epochs[user] = Epoch("epoch-1")
    stored = entry(clock)
    await answers.store(key_of(user), stored)
    assert await answers.look(user, key_of(user)) == Look(stored, Epoch("epoch-1"))


async def test_an_entry_of_an_answer_that_found_nothing_comes_back_equal(
    answers: AnswerCache, user: UserId, clock: ManualClock
) -> None:
    stored = entry(clock, answer=answer("", provenance=Provenance.NO_CONTEXT, citations=()))
    await answers.store(key_of(user), stored)
    assert (await answers.look(user, key_of(user))).entry == stored


async def test_what_was_never_stored_is_not_there(answers: AnswerCache, user: UserId) -> None:
    assert await answers.look(user, key_of(user)) == Look(None, None)


async def test_a_later_store_replaces_the_entry(
    answers: AnswerCache, user: UserId, clock: ManualClock
) -> None:
    await answers.store(key_of(user), entry(clock))
    newer = entry(clock, "epoch-2", answer=answer("Another."))
    await answers.store(key_of(user), newer)
    assert (await answers.look(user, key_of(user))).entry == newer


async def test_an_entry_is_there_past_its_soft_ttl_and_gone_at_its_hard_ttl(
    answers: AnswerCache, user: UserId, clock: ManualClock
) -> None:
    await answers.store(key_of(user), entry(clock, hard_s=600))
    clock.advance(599)
    found = (await answers.look(user, key_of(user))).entry
    assert found is not None
    assert found.fresh_until < clock.now()
    clock.advance(1)
    assert (await answers.look(user, key_of(user))).entry is None


async def test_storing_again_does_not_lengthen_an_entrys_life(
    answers: AnswerCache, user: UserId, clock: ManualClock
) -> None:
    stored = entry(clock, hard_s=600)
    clock.advance(599)
    await answers.store(key_of(user), replace(stored, epoch=Epoch("epoch-2")))
    clock.advance(1)
    assert (await answers.look(user, key_of(user))).entry is None


async def test_an_entry_whose_life_is_over_is_not_stored(
    answers: AnswerCache, user: UserId, clock: ManualClock
) -> None:
    dead = entry(clock, hard_s=600)
    clock.advance(601)
    await answers.store(key_of(user), dead)
    assert (await answers.look(user, key_of(user))).entry is None


async def test_users_never_share_an_entry_nor_an_epoch(
    answers: AnswerCache, user: UserId, other_user: UserId, clock: ManualClock, ledger: EpochLedger
) -> None:
    ledger.epochs |= {user: Epoch("mine"), other_user: Epoch("theirs")}
    await answers.store(key_of(user), entry(clock, "mine"))
    assert await answers.look(other_user, key_of(other_user)) == Look(None, Epoch("theirs"))
    assert (await answers.look(user, key_of(user))).epoch == "mine"


async def test_the_epoch_is_none_for_a_user_without_notes(
    answers: AnswerCache, user: UserId
) -> None:
    assert (await answers.look(user, key_of(user))).epoch is None


async def test_a_committed_change_is_seen_by_the_next_look(
    answers: AnswerCache, user: UserId, clock: ManualClock, ledger: EpochLedger
) -> None:
    """On Redis once the lease is over; nobody announced this one."""
    ledger.epochs[user] = Epoch("epoch-1")
    await answers.look(user, key_of(user))
    async with ledger.change(user, "epoch-2"):
        pass
    clock.advance(10)
    assert (await answers.look(user, key_of(user))).epoch == "epoch-2"


async def test_size_counts_entries(answers: AnswerCache, user: UserId, clock: ManualClock) -> None:
    before = (await answers.size()).entries
    for number in range(3):
        await answers.store(key_of(user, f"Question {number}?"), entry(clock))
    await answers.store(key_of(user, "Question 0?"), entry(clock, answer=ANSWER))
    after = (await answers.size()).entries
    assert before is not None
    assert after == before + 3
