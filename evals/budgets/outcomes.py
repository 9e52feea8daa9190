"""What each setting comes to: every measure of every question, its mean, its difference."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

from evals.budgets.grid import BudgetSetting
from evals.budgets.resampling import Means, Resampling
from evals.datasets.golden import GoldenQuestion
from evals.stats.intervals import Estimate, Floats, exact_interval
from evals.stats.paired import paired_difference
from evals.stats.score import Score, scored

FACTS_IN_CONTEXT, FACTS_STATED, RIGHT = "facts in context", "facts stated", "right abstentions"
TOKENS_IN, TOKENS_OUT, USD, MS = "tokens in", "tokens out", "usd", "ms"
QUALITY = (FACTS_IN_CONTEXT, FACTS_STATED, RIGHT)
MEASURES = (*QUALITY, TOKENS_IN, TOKENS_OUT, USD, MS)

_ONE_SIDED = 0.90
"""Level of a two-sided interval whose upper end is that of a one-sided 95 % one."""


@dataclass(frozen=True, slots=True)
class Difference:
    """Mean of setting - current over the `n` questions known at both, and its 95 % interval.

    `value`, `low` and `high` are in the unit of the measure; `changed` counts the questions that
    differ at all. Where none does, the interval has no width, and says nothing of questions that
    were not asked: `at_least` does.
    """

    value: float
    low: float
    high: float
    n: int
    changed: int

    @property
    def may_change(self) -> float:
        """Share of other questions that changes at most, at 95 %, where none of these does."""
        return exact_interval(0, self.n, level=_ONE_SIDED)[1] if self.n else 1.0

    @property
    def at_least(self) -> float:
        """`low` of a share; where no question changed, as if all that may change lost all."""
        return self.low if self.changed else -self.may_change


@dataclass(frozen=True, eq=False)
class Outcomes:
    """`values` float64[settings, questions] of each measure, NaN where one does not apply.

    Facts and abstentions are shares, `ms` milliseconds, `usd` dollars of one question. The first
    setting is the current one.
    """

    settings: Sequence[BudgetSetting]
    questions: Sequence[GoldenQuestion]
    values: dict[str, Floats]
    failed: int = 0
    """Number of answers that a provider failed to give."""
    seed: int = 0

    def where(self, keep: Callable[[GoldenQuestion], bool]) -> Outcomes:
        """Of some of the questions alone; `failed` stays that of all."""
        places = [place for place, question in enumerate(self.questions) if keep(question)]
        kept = [self.questions[place] for place in places]
        values = {name: rows[:, places] for name, rows in self.values.items()}
        return replace(self, questions=kept, values=values)

    @property
    def current(self) -> BudgetSetting:
        """What is deployed; all differences are to it."""
        return self.settings[0]

    @cached_property
    def _resampling(self) -> Resampling:
        return Resampling([question.group for question in self.questions], seed=self.seed)

    @cached_property
    def _means(self) -> dict[str, Means]:
        return {name: self._resampling.means(rows.T) for name, rows in self.values.items()}

    @cached_property
    def _differences(self) -> dict[str, Means]:
        return {
            name: self._resampling.means((rows - rows[0]).T) for name, rows in self.values.items()
        }

    def means(self, measure: str) -> Means:
        """Of each setting, in the order of `settings`."""
        return self._means[measure]

    def differences(self, measure: str) -> Means:
        """Of each setting to the current one, question by question."""
        return self._differences[measure]

    def difference(self, measure: str, setting: BudgetSetting) -> Difference:
        """Of one setting to the current one, as `paired_difference` says it."""
        before, after = self._scores(measure, 0), self._scores(measure, self.place(setting))
        groups = {question.id: question.group for question in self.questions}
        paired = paired_difference(measure, before, after, clusters=groups, seed=self.seed)
        mean = math.nan if paired.mean is None else paired.mean
        low = mean if paired.low is None else paired.low
        high = mean if paired.high is None else paired.high
        return Difference(mean, low, high, paired.n, paired.better + paired.worse)

    def gain(self, measure: str, one: BudgetSetting, other: BudgetSetting) -> Means:
        """Of `other` over `one`, question by question; one column."""
        rows = self.values[measure]
        return self._resampling.means((rows[self.place(other)] - rows[self.place(one)])[:, None])

    def _scores(self, measure: str, place: int) -> dict[str, Score]:
        values = map(float, self.values[measure][place])
        ids = [question.id for question in self.questions]
        return {each: scored(value) for each, value in zip(ids, values, strict=True)}

    def estimate(self, measure: str, setting: BudgetSetting) -> Estimate:
        """The mean at one setting, in the unit of the measure."""
        means, place = self.means(measure), self.place(setting)
        value, low, high = means.value[place], means.low[place], means.high[place]
        return Estimate(float(value), float(low), float(high))

    def cost_ratio(self, setting: BudgetSetting) -> Estimate:
        """Dollars at `setting` over dollars at the current one."""
        usd = self.values[USD]
        return self._resampling.ratio(usd[self.place(setting)], usd[0])

    def place(self, setting: BudgetSetting) -> int:
        """The index of `setting` in `settings`; `ValueError` where it was not swept."""
        return self.settings.index(setting)

    @cached_property
    def generated(self) -> tuple[bool, ...]:
        """Of each setting, whether its answers were generated."""
        return tuple(bool(n) for n in self.means(TOKENS_OUT).n)
