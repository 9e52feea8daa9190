"""Which settings are worth their dollars: none cheaper is as good."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from evals.budgets.grid import BudgetSetting
from evals.budgets.outcomes import USD, Outcomes
from evals.stats.intervals import Floats

Standing = Literal["front", "alike", "dominated", "unknown"]
"""`alike`: dominated, but its paired difference to what dominates it may be luck."""


def standings(outcomes: Outcomes, quality: str, cost: str = USD) -> list[Standing]:
    """The standing of each setting by the means of `quality` and `cost`.

    `unknown` are those whose answers were not generated, where either needs them.
    """
    worth, spent = outcomes.means(quality).value, outcomes.means(cost).value
    known = np.isfinite(worth) & np.isfinite(spent)
    front = [
        place for place in map(int, np.flatnonzero(known)) if not _dominated(worth, spent, place)
    ]
    return [
        ("front" if place in front else _beaten(outcomes, quality, place, front, spent))
        if known[place]
        else "unknown"
        for place in range(len(known))
    ]


def front(outcomes: Outcomes, quality: str) -> list[BudgetSetting]:
    """The settings on the front, cheapest first; of those with one result, the most like now."""
    worth, spent = outcomes.means(quality).value, outcomes.means(USD).value
    distinct: dict[tuple[float, float], BudgetSetting] = {}
    for place, standing in enumerate(standings(outcomes, quality)):
        setting, key = outcomes.settings[place], (float(spent[place]), float(worth[place]))
        known = distinct.setdefault(key, setting) if standing == "front" else setting
        if len(setting.differs_in(outcomes.current)) < len(known.differs_in(outcomes.current)):
            distinct[key] = setting
    return [distinct[key] for key in sorted(distinct)]


def _beaten(
    outcomes: Outcomes, quality: str, place: int, front: Sequence[int], spent: Floats
) -> Standing:
    """Whether the best of the front that costs no more is seen to be better."""
    worth = outcomes.means(quality).value
    cheaper = [each for each in front if spent[each] <= spent[place]]
    best = max(cheaper, key=lambda each: float(worth[each]))
    gained = outcomes.gain(quality, outcomes.settings[place], outcomes.settings[best])
    return "dominated" if gained.low[0] > 0 else "alike"


def _dominated(worth: Floats, spent: Floats, place: int) -> bool:
    """Whether another is at least as good and as cheap, and better in one of them."""
    as_good = (worth >= worth[place]) & (spent <= spent[place])
    better = (worth > worth[place]) | (spent < spent[place])
    return bool((as_good & better).any())
