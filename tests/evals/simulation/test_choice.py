"""A TTL is changed for a shown reason only; the soft one stays below the hard one."""

from __future__ import annotations

from dataclasses import replace

import pytest

from evals.simulation.choice import Decision, choose, decide, recommended_setting
from evals.simulation.plausible import RANGES, MeasuredEvidence, plausible, recorded
from evals.simulation.prices import ComputePrices, Objective
from evals.simulation.simulator import Setting
from evals.simulation.timeline import Timeline, prepare
from evals.simulation.traffic import DAY_S, Assumptions, generate
from evals.stats.intervals import Estimate
from rag_core.errors import InvalidInput

ASSUMED = Assumptions(users=5, days=14, requests_per_user_day=20, questions_per_user=20)
TIMELINES = [
    prepare(generate(replace(ASSUMED, requests_per_user_day=requests))) for requests in (20, 10)
]
FREE_MEMORY = Objective(
    compute=ComputePrices(memory_usd_per_gb_month=0.0), old_answer_usd=0.01, old_after_s=5 * DAY_S
)


def weighed(
    objective: Objective, *values: float, timelines: list[Timeline] = TIMELINES
) -> Decision:
    grids = {"answer_soft_ttl_s": values}
    (decision,) = decide(timelines, grids, Setting(), objective, users=5)
    return decision


def test_a_cheaper_ttl_within_the_grid_is_recommended_and_keeps_the_outages_window() -> None:
    decision = weighed(FREE_MEMORY, 3_600.0, 4 * DAY_S, 10 * DAY_S)
    assert (decision.why, decision.chosen) == ("cheaper", 4 * DAY_S)
    assert decision.saving_usd.low > 0
    chosen = recommended_setting(Setting(), [decision])
    assert chosen.answer_soft_ttl_s == 4 * DAY_S
    assert chosen.answer_hard_ttl_s == 10 * DAY_S


def test_the_longest_tried_is_an_edge_and_the_default_is_kept() -> None:
    ageless = replace(FREE_MEMORY, old_answer_usd=0.0)
    decision = weighed(ageless, 3_600.0, 4 * DAY_S, 10 * DAY_S)
    assert (decision.why, decision.best, decision.chosen) == ("edge", 10 * DAY_S, DAY_S)


def test_what_does_not_matter_keeps_its_default() -> None:
    decision = weighed(replace(FREE_MEMORY, worth=1.0), 3_600.0, 4 * DAY_S, 10 * DAY_S)
    assert (decision.why, decision.chosen) == ("no matter", DAY_S)


def test_what_is_dearer_in_one_plausible_traffic_keeps_its_default() -> None:
    """Nobody repeats a question there, so a longer TTL only holds more memory."""
    unrepeated = prepare(generate(replace(ASSUMED, new_question_rate=1.0)))
    objective = Objective(old_answer_usd=0.01, old_after_s=5 * DAY_S)
    decision = weighed(
        objective, 3_600.0, 4 * DAY_S, 10 * DAY_S, timelines=[*TIMELINES, unrepeated]
    )
    assert decision.saving_usd.low < 0 < decision.saving_usd.value
    assert (decision.why, decision.chosen) == ("unsure", DAY_S)


def test_what_the_memory_does_not_hold_is_not_recommended() -> None:
    decision = weighed(replace(FREE_MEMORY, max_redis_bytes=1.0), 3_600.0, 4 * DAY_S, 10 * DAY_S)
    assert (decision.why, decision.chosen) == ("too large", DAY_S)


def test_a_band_holds_every_traffic_and_the_value_is_the_assumed_ones() -> None:
    both = choose(TIMELINES, Setting())
    alone = [choose([timeline], Setting()).hit_rate.value for timeline in TIMELINES]
    assert both.hit_rate == Estimate(alone[0], min(alone), max(alone))
    assert both.traffics == 2
    with pytest.raises(InvalidInput, match="traffics"):
        choose([], Setting())


def test_every_price_is_in_what_a_thousand_requests_cost() -> None:
    cost = choose(TIMELINES, Setting(), Objective(old_after_s=0.0)).cost
    report = choose(TIMELINES, Setting()).report
    assert cost.llm_usd == pytest.approx(0.4 * report.llm_calls / report.requests)
    assert cost.old_usd >= report.hit_rate  # of any age is old here, at $0.001 each
    assert cost.memory_usd > 0
    assert cost.work_usd > 0
    with pytest.raises(InvalidInput, match="old_answer_usd"):
        Objective(old_answer_usd=-1)
    with pytest.raises(InvalidInput, match="outage_share"):
        Objective(outage_share=2)


def test_plausible_traffic_is_the_assumed_one_and_every_corner_of_the_ranges() -> None:
    evidence = MeasuredEvidence(touch=Estimate(0.6, 0.5, 0.7), enter=Estimate(0, 0, 0.01), notes=3)
    timelines = plausible(ASSUMED, evidence, requests=200)
    assert len(timelines) == 1 + 2 ** len(RANGES)
    assert len(timelines[0].traffic) == len(generate(ASSUMED))
    rates = choose(timelines, Setting()).hit_rate
    assert rates.low < 0.1 < 0.4 < rates.high


def test_a_recorded_trace_has_its_own_users_for_a_band() -> None:
    traffic = generate(ASSUMED)
    model = MeasuredEvidence(touch=Estimate.exact(1), enter=Estimate.exact(0), notes=3)
    whole, *groups = recorded(traffic, model.model(ASSUMED))
    assert len(whole.key) == sum(len(group.key) for group in groups)
    assert len(groups) == 5
    alone = recorded(traffic.of_users([0]), model.model(ASSUMED))
    assert len(alone) == 1
