"""How long answers live: lifetimes that are refused, and jitter."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_core.cache import AnswerTtl
from rag_core.clock import ManualClock
from rag_core.domain import Question
from rag_core.errors import ConfigurationError
from tests.rag_core.cache.caches.lookups import caches_of, looked_up, stored
from tests.rag_core.cache.parts import ANSWER


def test_lifetimes_that_cannot_be_meant_are_refused_by_name(subtests: pytest.Subtests) -> None:
    for wrong, setting in [
        ({"soft_s": 0}, "RAG_ANSWER_SOFT_TTL_S"),
        ({"soft_s": -1}, "RAG_ANSWER_SOFT_TTL_S"),
        ({"soft_s": 10, "hard_s": 9}, "RAG_ANSWER_SOFT_TTL_S"),
        ({"soft_s": float("nan")}, "RAG_ANSWER_SOFT_TTL_S"),
        ({"jitter": -0.1}, "RAG_TTL_JITTER"),
        ({"jitter": 1}, "RAG_TTL_JITTER"),
    ]:
        with (
            subtests.test(wrong=wrong, setting=setting),
            pytest.raises(ConfigurationError, match=setting),
        ):
            AnswerTtl(**wrong)


def test_lifetimes_may_be_equal_and_without_jitter() -> None:
    ttl = AnswerTtl(soft_s=5, hard_s=5, jitter=0)
    assert (ttl.soft_s, ttl.hard_s, ttl.jitter) == (5, 5, 0)


@given(st.integers(0, 2**32))
async def test_jitter_keeps_both_lifetimes_within_a_tenth(seed: int) -> None:
    caches = caches_of(ManualClock(0), ttl=AnswerTtl(soft_s=100, hard_s=1000), seed=seed)
    for number in range(5):
        question = Question(f"Question {number}?")
        await caches.put(looked_up(question), ANSWER, 0)
        kept = await stored(caches, question)
        assert 90 <= kept.soft_expires_at <= 110
        assert 900 <= kept.hard_expires_at <= 1100


async def test_entries_made_together_do_not_end_together(clock: ManualClock) -> None:
    caches, ends = caches_of(clock), set()
    for number in range(20):
        question = Question(f"Question {number}?")
        await caches.put(looked_up(question), ANSWER, 0)
        kept = await stored(caches, question)
        ends |= {kept.soft_expires_at, kept.hard_expires_at}
    assert len(ends) == 40
    assert max(ends) - min(ends) > 86_400
