"""Outcomes made up from shares, for tests of what is said of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from evals.budgets.grid import BudgetSetting
from evals.budgets.outcomes import (
    FACTS_IN_CONTEXT,
    FACTS_STATED,
    MS,
    RIGHT,
    TOKENS_IN,
    TOKENS_OUT,
    USD,
    Outcomes,
)
from evals.datasets.golden import GoldenQuestion, Scenario
from rag_core.settings import Settings

CURRENT = BudgetSetting.of(Settings())
QUESTIONS = 100


def setting(context_tokens: int) -> BudgetSetting:
    """The current setting with another number of context tokens."""
    return replace(CURRENT, context_tokens=context_tokens)


def outcomes(
    rows: Mapping[BudgetSetting, Mapping[str, float | Sequence[float]]],
    *,
    groups: int | None = None,
) -> Outcomes:
    """What every question scores at each setting: a number for all, or one each.

    Questions are in so many groups, or each by itself. Facts and abstentions are 0.5 and 1 and
    tokens cost, unless said.
    """
    base = {FACTS_IN_CONTEXT: 0.5, FACTS_STATED: 0.5, RIGHT: 1.0, TOKENS_OUT: 50.0, MS: 10.0}
    names = (*base, TOKENS_IN, USD)
    values = {name: np.empty((len(rows), QUESTIONS), dtype=np.float64) for name in names}
    for place, (at, given) in enumerate(rows.items()):
        tokens = {TOKENS_IN: float(at.context_tokens), USD: at.context_tokens * 2e-7}
        for name, value in {**base, **tokens, **given}.items():
            values[name][place] = value
    questions = [
        GoldenQuestion(
            id=f"q{number}",
            user="somebody",
            scenario=Scenario.SINGLE_NOTE,
            question="What?",
            reference="That.",
            gold=("p",),
            facts=(),
            group=f"g{number % groups}" if groups else "",
        )
        for number in range(QUESTIONS)
    ]
    return Outcomes(list(rows), questions, values)
