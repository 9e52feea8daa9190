"""The cheapest setting that loses nothing measurable is chosen, and nothing that may lose."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from evals.budgets.choice import Objective, choose, confirmed
from evals.budgets.outcomes import (
    FACTS_IN_CONTEXT,
    FACTS_STATED,
    RIGHT,
    TOKENS_OUT,
    USD,
    Difference,
)
from evals.budgets.pareto import front, standings
from rag_core.errors import InvalidInput
from tests.evals.budgets.made_up import CURRENT, QUESTIONS, outcomes, setting

CHEAPEST = Objective()
EVERY_TENTH = [0.5 if number % 10 else 0.0 for number in range(QUESTIONS)]
"""Five points lost, by ten questions of a hundred."""
EITHER_WAY = [0.5 + (0.5 if number % 2 else -0.5) * (number < 20) for number in range(QUESTIONS)]
"""As many won as lost: no loss on average, but who knows."""


def test_the_cheapest_that_loses_nothing_is_chosen() -> None:
    swept = outcomes({CURRENT: {}, setting(900): {}, setting(600): {}})
    choice = choose(swept, CHEAPEST)
    assert choice.setting == setting(600)
    assert choice.candidates == 3
    assert swept.cost_ratio(choice.setting).value == pytest.approx(0.5)


@pytest.mark.parametrize("measure", [FACTS_IN_CONTEXT, FACTS_STATED])
@pytest.mark.parametrize("lost", [EVERY_TENTH, EITHER_WAY], ids=["lost", "unsure"])
def test_what_loses_or_may_lose_facts_is_not_chosen(measure: str, lost: list[float]) -> None:
    swept = outcomes({CURRENT: {}, setting(900): {}, setting(600): {measure: lost}})
    assert choose(swept, CHEAPEST).setting == setting(900)


def test_a_wider_margin_takes_the_loss() -> None:
    swept = outcomes({CURRENT: {}, setting(600): {FACTS_STATED: EVERY_TENTH}})
    assert choose(swept, CHEAPEST).setting == CURRENT
    assert choose(swept, Objective(tolerance=0.2)).setting == setting(600)


def test_what_answers_where_it_should_decline_is_not_chosen() -> None:
    worse = [float(number >= 20) for number in range(QUESTIONS)]
    swept = outcomes({CURRENT: {}, setting(600): {RIGHT: worse}})
    assert choose(swept, CHEAPEST).setting == CURRENT


def test_what_was_not_generated_is_not_chosen() -> None:
    nothing = dict.fromkeys((FACTS_STATED, RIGHT, TOKENS_OUT, USD), math.nan)
    swept = outcomes({CURRENT: {}, setting(600): nothing, setting(900): {}})
    choice = choose(swept, CHEAPEST)
    assert (choice.setting, choice.candidates) == (setting(900), 2)
    assert standings(swept, FACTS_STATED)[1] == "unknown"


def test_what_costs_more_is_never_the_cheapest() -> None:
    swept = outcomes({CURRENT: {}, setting(2400): {FACTS_STATED: 1.0}})
    assert not choose(swept, CHEAPEST).changes


def test_most_facts_within_a_price() -> None:
    rows = {CURRENT: {}, setting(600): {FACTS_STATED: 0.3}, setting(900): {FACTS_STATED: 0.4}}
    swept = outcomes(rows)
    assert choose(swept, Objective.parse("best-under-0.2")).setting == setting(900)
    assert choose(swept, Objective.parse("best-under-0.15")).setting == setting(600)
    with pytest.raises(InvalidInput, match=r"cheapest costs \$0\.12"):
        choose(swept, Objective.parse("best-under-0.01"))


@pytest.mark.parametrize("text", ["", "best", "best-under-", "best-under-x", "cheapest "])
def test_an_objective_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput, match="objective"):
        Objective.parse(text)


@pytest.mark.parametrize("tolerance", [0.0, -0.1, 1.0, math.nan])
def test_a_margin_that_is_no_share_is_refused(tolerance: float) -> None:
    with pytest.raises(InvalidInput, match="tolerance"):
        Objective(tolerance=tolerance)


@pytest.mark.parametrize(
    ("scores", "said"),
    [(0.5, "confirmed"), (EVERY_TENTH, "open"), (0.2, "refuted"), (0.9, "confirmed")],
)
def test_what_other_questions_say_of_a_choice(scores: float, said: str) -> None:
    other = outcomes({CURRENT: {}, setting(600): {FACTS_STATED: scores}})
    assert confirmed(other.difference(FACTS_STATED, setting(600)), 0.05) == said


def test_a_few_questions_that_did_not_change_confirm_nothing() -> None:
    few = Difference(0.0, 0.0, 0.0, n=5, changed=0)
    assert confirmed(few, 0.05) == "open"
    assert few.at_least == pytest.approx(-0.45, abs=0.005)  # 1 - 0.05 ** (1 / 5)
    assert confirmed(replace(few, n=100), 0.05) == "confirmed"


def test_a_setting_that_a_cheaper_one_beats_is_dominated_or_alike() -> None:
    swept = outcomes(
        {
            CURRENT: {},
            setting(600): {},
            setting(900): {FACTS_STATED: EVERY_TENTH},
            setting(800): {FACTS_STATED: [0.5 - 0.5 * (n < 1) for n in range(QUESTIONS)]},
            setting(300): {FACTS_STATED: 0.2},
        }
    )
    assert standings(swept, FACTS_STATED) == ["alike", "front", "dominated", "alike", "front"]
    assert front(swept, FACTS_STATED) == [setting(300), setting(600)]


def test_questions_of_one_group_count_as_one_that_hangs_together() -> None:
    alone = outcomes({CURRENT: {}, setting(600): {FACTS_STATED: EVERY_TENTH}})
    grouped = outcomes({CURRENT: {}, setting(600): {FACTS_STATED: EVERY_TENTH}}, groups=10)
    width = [
        np.subtract(found.high, found.low)
        for found in (each.difference(FACTS_STATED, setting(600)) for each in (alone, grouped))
    ]
    assert width[1] > 2 * width[0]
