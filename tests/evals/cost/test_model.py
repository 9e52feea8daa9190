"""The cost model reproduces the reference table to the cent and carries its intervals through."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from evals.cost.break_even import (
    CacheLevel,
    achieved_hit_rates,
    break_even,
    cache_levels,
)
from evals.cost.model import (
    REFERENCE,
    REFERENCE_HIT_RATE,
    Budget,
    CostAssumptions,
    MeasuredTokens,
    StatedTokens,
    crossings,
    project,
    tornado,
)
from evals.simulation.prices import ComputePrices
from evals.simulation.simulator import Setting, simulate
from evals.simulation.timeline import prepare
from evals.simulation.traffic import Assumptions, generate
from evals.stats.intervals import Estimate
from rag_core.domain import FREE, Prices
from rag_core.errors import InvalidInput

CACHED = replace(REFERENCE, hit_rate=REFERENCE_HIT_RATE)
UNSURE = replace(
    REFERENCE,
    requests_per_user_day=Estimate(10, 8, 13),
    hit_rate=Estimate(0.6, 0.5, 0.65),
)


@pytest.mark.parametrize(
    ("assumptions", "expected_usd"),
    [(REFERENCE, [7.80, 78.00, 780.00]), (CACHED, [3.12, 31.20, 312.00])],
)
def test_the_reference_table_is_reproduced_to_the_cent(
    assumptions: CostAssumptions, expected_usd: list[float]
) -> None:
    assert assumptions.factors(users=1).usd_per_request == pytest.approx(0.00026)
    table = project(assumptions, [100, 1_000, 10_000])
    assert table["usd_month"].round(2).tolist() == expected_usd
    assert table["usd_month_low"].round(2).tolist() == expected_usd
    assert table["usd_month_high"].round(2).tolist() == expected_usd
    assert (table["usd_day"] * 30).round(2).tolist() == expected_usd


def test_an_interval_of_one_factor_becomes_that_of_the_cost() -> None:
    requests_only = replace(REFERENCE, requests_per_user_day=Estimate(10, 8, 13))
    month = project(requests_only, [1_000]).iloc[0]
    assert month["usd_month"] == pytest.approx(78.0)
    assert month["usd_month_low"] == pytest.approx(78.0 * 0.8, rel=0.01)
    assert month["usd_month_high"] == pytest.approx(78.0 * 1.3, rel=0.01)


def test_a_band_runs_from_everything_at_its_cheapest_to_everything_at_its_dearest() -> None:
    day = UNSURE.usd_per_user_day()
    assert day.low == pytest.approx(0.00026 * 8 * (1 - 0.65))
    assert day.high == pytest.approx(0.00026 * 13 * (1 - 0.5))
    assert day.low < day.value < day.high


def test_measured_tokens_are_bootstrapped_over_questions_and_free_ones_count() -> None:
    rng = np.random.default_rng(1)
    tokens_in = rng.normal(900, 100, 60)
    tokens_in[:15] = 0  # refused, or without context
    tokens = MeasuredTokens.of(tokens_in, tokens_in / 10)
    usd = replace(REFERENCE, tokens=tokens).usd_per_generation()
    per_question = tokens_in * 2e-7 + tokens_in / 10 * 6e-7
    error = per_question.std() / np.sqrt(60)
    assert usd.value == pytest.approx(per_question.mean())
    assert usd.high - usd.low == pytest.approx(2 * 1.96 * error, rel=0.05)


def test_stated_tokens_carry_their_intervals() -> None:
    tokens = StatedTokens(input=Estimate(700, 600, 800), output=Estimate.exact(200))
    usd = replace(REFERENCE, tokens=tokens).usd_per_generation()
    assert (usd.low, usd.high) == pytest.approx((0.00024, 0.00028), rel=0.01)


def test_budgets_are_crossed_where_the_money_runs_out() -> None:
    table = crossings(REFERENCE).set_index("budget")
    assert table.loc["cap for all", "at"] == pytest.approx(100 / 0.0026)
    assert table.loc["target for all", "at"] == pytest.approx(50 / 0.0026)
    assert table.loc["cap per user", "at"] == pytest.approx(5 / 0.00026)
    assert table.loc["cap per user", "unit"] == "requests of one user a day"


def test_a_crossing_has_an_interval_around_it() -> None:
    row = crossings(UNSURE, [Budget("all", 100.0)]).iloc[0]
    assert row["at_low"] < row["at"] < row["at_high"]


def test_a_free_provider_never_crosses_a_budget() -> None:
    assert np.isinf(crossings(replace(REFERENCE, prices=FREE))["at"]).all()


def test_a_tornado_moves_one_factor_at_a_time_and_sorts_by_swing() -> None:
    table = tornado(CACHED, users=1_000, relative=0.5)
    assert table["swing_usd"].is_monotonic_decreasing
    assert (table["usd_month"].round(2) == 31.20).all()
    by_factor = table.set_index("factor")
    assert by_factor.loc["users", "usd_month_at_high"] == pytest.approx(31.2 * 1.5)
    assert by_factor.loc["hit_rate", "usd_month_at_low"] == pytest.approx(78.0 * 0.7)
    assert by_factor.loc["hit_rate", "usd_month_at_high"] == pytest.approx(78.0 * 0.1)
    tokens = by_factor.loc["input_tokens", "swing_usd"]
    assert tokens == pytest.approx(by_factor.loc["input_price_usd", "swing_usd"])


def test_a_tornado_takes_bounds_by_name_and_refuses_unknown_names() -> None:
    table = tornado(CACHED, ranges={"requests_per_user_day": (1, 100)}).set_index("factor")
    assert table.loc["requests_per_user_day", "usd_month_at_high"] == pytest.approx(312.0)
    assert tornado(CACHED, relative=1.0).set_index("factor").loc["hit_rate", "high"] == 1.0
    with pytest.raises(InvalidInput, match="weather: is no factor"):
        tornado(CACHED, ranges={"weather": (0, 1)})


def test_a_level_breaks_even_where_hits_pay_for_the_entries_that_misses_store() -> None:
    compute = ComputePrices(memory_usd_per_gb_month=30.0)
    level = CacheLevel(name="x", entry_bytes=1e6, held_s=86_400, saving_usd_per_hit=0.003)
    row = break_even([level], compute).iloc[0]
    stored_usd = 1e6 / 1e9 * 30.0 / 30  # a megabyte for a day
    assert row["entry_usd"] == pytest.approx(stored_usd)
    h = row["break_even_hit_rate"]
    assert h * 0.003 == pytest.approx((1 - h) * stored_usd)
    assert row["hits_per_gb_month"] == pytest.approx(10_000)


def test_a_level_whose_every_lookup_costs_must_hit_more_often_to_pay() -> None:
    level = CacheLevel(
        name="x", entry_bytes=1e6, held_s=86_400, saving_usd_per_hit=0.003, lookup_usd=0.0004
    )
    row = break_even([level], ComputePrices()).iloc[0]
    h = row["break_even_hit_rate"]
    assert h * 0.003 == pytest.approx((1 - h) * row["entry_usd"] + 0.0004)


def test_an_answer_is_looked_up_at_the_price_of_a_read_of_the_epoch() -> None:
    compute = ComputePrices(cpu_usd_per_hour=36.0, epoch_read_cpu_s=0.0001)
    looked_up = {each.name: each.lookup_usd for each in cache_levels(REFERENCE, Setting(), compute)}
    assert looked_up == {"answer": pytest.approx(1e-6), "embedding": 0.0, "context": 0.0}


def test_a_level_that_spares_nothing_never_pays() -> None:
    levels = cache_levels(
        replace(REFERENCE, prices=Prices(0, 0)), Setting(), ComputePrices(cpu_usd_per_hour=0)
    )
    table = break_even(levels, ComputePrices())
    assert (table["break_even_hit_rate"] == 1.0).all()
    assert np.isinf(table["hits_per_gb_month"]).all()


def test_the_three_levels_are_held_against_what_they_achieve() -> None:
    report = simulate(prepare(generate(Assumptions(users=5))), Setting())
    levels = cache_levels(REFERENCE, Setting(), ComputePrices())
    table = break_even(levels, ComputePrices(), achieved_hit_rates(report)).set_index("level")
    assert table.loc["answer", "saving_usd_per_hit"] == pytest.approx(0.00026)
    assert table.loc["answer", "achieved_hit_rate"] == report.valid_hit_rate
    assert (table["break_even_hit_rate"] < table["achieved_hit_rate"])["answer"]
    assert list(table.index) == ["answer", "embedding", "context"]


def test_an_impossible_assumption_is_refused(subtests: pytest.Subtests) -> None:
    for make, problem in [
        (lambda: Estimate(1, 2, 3), "low <= value <= high"),
        (lambda: Estimate.exact(float("nan")), "nan"),
        (lambda: replace(REFERENCE, hit_rate=Estimate(0.9, 0.8, 1.1)), "hit_rate"),
        (lambda: replace(REFERENCE, requests_per_user_day=Estimate(1, -1, 2)), "requests_per"),
        (lambda: MeasuredTokens.of([], []), "one input and one output"),
        (lambda: MeasuredTokens.of([1, 2], [1]), "got 2 and 1"),
        (lambda: MeasuredTokens.of([1, -2], [1, 1]), ">= 0"),
        (lambda: ComputePrices(cpu_usd_per_hour=-1), "cpu_usd_per_hour"),
    ]:
        with subtests.test(make=make, problem=problem):
            assert callable(make)
            with pytest.raises(InvalidInput, match=problem):
                make()


def test_draws_respect_natural_limits() -> None:
    draws = Estimate(0.95, 0.7, 0.999).draws(np.random.default_rng(0), 5_000, ceiling=1.0)
    assert draws.max() <= 1.0
    assert draws.min() >= 0.0
    assert np.median(draws) == pytest.approx(0.95, abs=0.01)
