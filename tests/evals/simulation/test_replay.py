"""The real caches treat every request of a trace as the simulator says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import pytest_asyncio

from evals.simulation.replay import replay, sample
from evals.simulation.replay_result import Replay
from evals.simulation.simulator import CacheOutcome, Policy, Setting, simulate
from evals.simulation.timeline import EvidenceModel, prepare
from evals.simulation.traffic import Assumptions, generate
from rag_core.embedded import StackUrls
from rag_core.errors import InvalidInput

BUSY = Assumptions(
    users=2,
    days=3,
    requests_per_user_day=50,
    questions_per_user=8,
    notes_per_user=12,
    edits_per_user_day=6,
    seed=5,
)
EVIDENCE = EvidenceModel(notes_per_user=12, evidence_notes=3, enter_probability=0.1)
SHORT = Setting(answer_soft_ttl_s=7_200, embedding_ttl_s=20_000, context_ttl_s=9_000)
"""Every TTL ends within the trace, and contexts outlive answers, so that each level has hits."""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def replayed(stack: StackUrls) -> Replay:
    return await replay(prepare(generate(BUSY), EVIDENCE), SHORT, stack.redis_url)


async def test_every_request_ends_as_simulated(replayed: Replay) -> None:
    assert len(replayed.outcomes) > 250
    assert set(replayed.outcomes.tolist()) == {
        CacheOutcome.MISS,
        CacheOutcome.HIT,
        CacheOutcome.REVALIDATED,
    }
    assert replayed.differing == replayed.unavailable == replayed.changed_evidence == 0


async def test_every_level_has_the_simulated_hits(replayed: Replay) -> None:
    table = replayed.comparison().set_index("figure")
    assert (table["replayed"] > 0).all()
    assert table["gap"].abs().max() == 0
    assert replayed.llm_calls == simulate(replayed.timeline, SHORT).llm_calls


@pytest.mark.parametrize(
    "other",
    [
        replace(SHORT, answer_soft_ttl_s=3_600.0),
        replace(SHORT, policy=Policy.FLUSH_ON_CHANGE),
    ],
    ids=["half the TTL", "flush on change"],
)
async def test_a_simulation_of_another_setting_disagrees(replayed: Replay, other: Setting) -> None:
    assert replace(replayed, setting=other).differing > 5


async def test_entries_are_measured_with_their_keys_and_overhead(replayed: Replay) -> None:
    sizes = replayed.entry_bytes
    assert 384 * 4 + 100 < sizes.embedding < 2_000
    assert 1_500 < sizes.answer < 10_000
    assert sizes.context > 5_000
    assert sizes.applied_to(SHORT).answer_bytes == sizes.answer


async def test_an_edit_that_nobody_announces_shows_as_changed_evidence(stack: StackUrls) -> None:
    """The store is never told of the edits, so that the caches cannot know of them."""
    honest = prepare(generate(replace(BUSY, days=1)), EVIDENCE)
    nothing = np.empty(0)
    silent = replace(
        honest.traffic,
        edit_time_s=nothing,
        edit_user=nothing.astype(np.int64),
        edit_note=nothing.astype(np.int64),
    )
    replayed = await replay(replace(honest, traffic=silent), SHORT, stack.redis_url)
    assert replayed.changed_evidence > 0


@pytest.mark.parametrize("wrong", [Setting(policy=Policy.TTL_ONLY), Setting(jitter=0.1)])
async def test_what_cannot_be_replayed_is_refused(stack: StackUrls, wrong: Setting) -> None:
    with pytest.raises(InvalidInput, match=r"policy|jitter"):
        await replay(prepare(generate(BUSY), EVIDENCE), wrong, stack.redis_url)


def test_a_sample_is_of_whole_users() -> None:
    traffic = generate(replace(BUSY, users=50))
    some = sample(traffic, 500)
    assert 500 <= len(some) < 750
    for user in np.unique(some.user):
        assert (some.user == user).sum() == (traffic.user == user).sum()
        assert (some.edit_user == user).sum() == (traffic.edit_user == user).sum()


def test_a_sample_of_one_busy_user_is_cut_in_time() -> None:
    traffic = generate(replace(BUSY, users=1, requests_per_user_day=1_000))
    some = sample(traffic, 100)
    assert len(some) == 100
    assert some.edit_time_s.max(initial=0.0) <= traffic.time_s[100]


def test_a_sample_may_ask_for_more_than_there_is() -> None:
    traffic = generate(BUSY)
    assert len(sample(traffic, 10**6)) == len(traffic)
