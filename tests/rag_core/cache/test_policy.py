"""What may be done with a cached answer: the whole table, and what never happens."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag_core.cache import CachedAnswer, Decision, Epoch, decide
from tests.rag_core.cache.parts import ANSWER

SOFT, HARD = 1_000.0, 2_000.0
THEN, LATER = Epoch("then"), Epoch("later")
STANDS, CHANGED = ANSWER.evidence, "f" * 64
CACHED = CachedAnswer(ANSWER, THEN, SOFT, HARD, took_ms=1.0)

SERVE, CHECK, REVALIDATE, FALL_BACK, MISS = Decision


def test_the_table() -> None:
    for epoch, evidence, now, decision in [
        (THEN, None, 0, SERVE),
        (THEN, None, SOFT - 0.001, SERVE),
        (THEN, None, SOFT, CHECK),
        (THEN, None, HARD - 0.001, CHECK),
        (THEN, None, HARD, MISS),
        (LATER, None, 0, CHECK),
        (LATER, None, SOFT, CHECK),
        (LATER, None, HARD, MISS),
        (None, None, 0, CHECK),
        (THEN, STANDS, 0, REVALIDATE),
        (LATER, STANDS, 0, REVALIDATE),
        (LATER, STANDS, SOFT - 0.001, REVALIDATE),
        (None, STANDS, 0, REVALIDATE),
        (THEN, STANDS, SOFT, FALL_BACK),
        (LATER, STANDS, SOFT, FALL_BACK),
        (LATER, STANDS, HARD - 0.001, FALL_BACK),
        (THEN, STANDS, HARD, MISS),
        (LATER, STANDS, HARD, MISS),
        (THEN, CHANGED, 0, MISS),
        (LATER, CHANGED, 0, MISS),
        (THEN, CHANGED, SOFT, MISS),
        (LATER, "", 0, MISS),
    ]:
        assert decide(CACHED, epoch=epoch, evidence=evidence, now=now) is decision


@pytest.mark.parametrize("evidence", [None, STANDS])
@pytest.mark.parametrize("epoch", [None, THEN])
def test_nothing_cached_is_a_miss(epoch: Epoch | None, evidence: str | None) -> None:
    assert decide(None, epoch=epoch, evidence=evidence, now=0) is MISS


def test_an_answer_whose_hard_ttl_ends_first_is_gone_although_it_is_fresh() -> None:
    """Both lifetimes vary on their own, so that equal ones may end in either order."""
    short = replace(CACHED, hard_expires_at=SOFT - 1)
    assert decide(short, epoch=THEN, evidence=STANDS, now=SOFT - 1) is MISS


@given(
    epoch=st.sampled_from([None, THEN, LATER]),
    evidence=st.sampled_from([None, STANDS, CHANGED]),
    now=st.floats(0, 3_000),
)
def test_only_what_an_epoch_or_the_evidence_vouches_for_is_served(
    epoch: Epoch | None, evidence: str | None, now: float
) -> None:
    decision = decide(CACHED, epoch=epoch, evidence=evidence, now=now)
    if decision in (SERVE, REVALIDATE):
        assert now < SOFT
        assert epoch == THEN if decision is SERVE else evidence == STANDS
    if decision is FALL_BACK:
        assert evidence == STANDS
        assert SOFT <= now < HARD
    if decision is CHECK:
        assert evidence is None, "one check is enough"
