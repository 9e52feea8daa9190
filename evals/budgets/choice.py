"""Choosing a setting on questions of split dev, and asking those of split test whether it holds.

The best of many settings looks better than it is, as the luckiest is among them. So the choice is
made on dev alone, and what is said of it is measured on test, which chose nothing.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from evals.budgets.grid import BudgetSetting
from evals.budgets.outcomes import (
    FACTS_IN_CONTEXT,
    FACTS_STATED,
    RIGHT,
    USD,
    Difference,
    Outcomes,
)
from evals.stats.intervals import Floats
from rag_core.errors import InvalidInput

GUARDED = (FACTS_IN_CONTEXT, FACTS_STATED)
"""What the cheapest setting may not lose."""

_BEST_UNDER = re.compile(r"best-under-(\d+(?:\.\d+)?|\.\d+)")
FORMS = "cheapest, or best-under-X with X in dollars per 1,000 questions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Objective:
    """What a setting is chosen for.

    `cheapest`: the least dollars without losing more than `tolerance`, a share of the facts, as far
    as questions can tell. `best-under`: the most facts stated for at most `max_usd_per_1000`
    dollars for 1,000 questions.

    Raises:
        InvalidInput: the tolerance is no share.
    """

    kind: Literal["cheapest", "best-under"] = "cheapest"
    tolerance: float = 0.02
    """A choice: two points fewer facts are taken for as good."""
    max_usd_per_1000: float = math.inf

    def __post_init__(self) -> None:
        if not 0 < self.tolerance < 1:
            raise InvalidInput(
                "tolerance", f"must be a share above 0 and below 1, got {self.tolerance!r}"
            )

    @classmethod
    def parse(cls, text: str, *, tolerance: float = 0.02) -> Objective:
        """The objective that `text` names, with a `tolerance` in shares.

        Raises:
            InvalidInput: it names none.
        """
        if text == "cheapest":
            return cls(tolerance=tolerance)
        if under := _BEST_UNDER.fullmatch(text):
            usd = float(under[1])
            return cls(kind="best-under", tolerance=tolerance, max_usd_per_1000=usd)
        raise InvalidInput("objective", f"{text!r} is none", f"Use {FORMS}")

    def __str__(self) -> str:
        if self.kind == "cheapest":
            points = f"{100 * self.tolerance:g}"
            return f"cheapest that loses nothing measurable, {points} points or more"
        return f"most facts stated for at most ${self.max_usd_per_1000:g} per 1,000 questions"


@dataclass(frozen=True, slots=True, kw_only=True)
class Choice:
    """A setting, chosen on dev among `candidates`, the number of settings that were compared."""

    objective: Objective
    setting: BudgetSetting
    current: BudgetSetting
    candidates: int

    @property
    def changes(self) -> bool:
        """Whether it is another than the current one."""
        return self.setting != self.current


def choose(outcomes: Outcomes, objective: Objective) -> Choice:
    """The setting that meets the objective; the current one where no other does.

    Raises:
        InvalidInput: no setting is as cheap as the objective wants.
    """
    usd, stated = outcomes.means(USD).value, outcomes.means(FACTS_STATED).value
    if objective.kind == "cheapest":
        may = _not_worse(outcomes, objective.tolerance)
        ordered = np.lexsort((np.arange(len(usd)), usd))
        meeting = (n for n in ordered if may[n] and _keeps(outcomes, n, objective.tolerance))
    else:
        may = _cheap_enough(usd, objective.max_usd_per_1000)
        meeting = (n for n in np.lexsort((usd, -stated)) if may[n])
    place = int(next(meeting))
    return Choice(
        objective=objective,
        setting=outcomes.settings[place],
        current=outcomes.current,
        candidates=sum(outcomes.generated),
    )


def _keeps(outcomes: Outcomes, place: int, tolerance: float) -> bool:
    """Whether the intervals that are shown of it say the same as those of all settings at once."""
    setting = outcomes.settings[place]
    lows = (outcomes.difference(measure, setting).low for measure in GUARDED)
    return setting == outcomes.current or all(low > -tolerance for low in lows)


def _cheap_enough(usd: Floats, max_usd_per_1000: float) -> NDArray[np.bool_]:
    meets = 1000 * usd <= max_usd_per_1000
    if not meets.any():
        raise InvalidInput(
            "objective",
            f"no setting costs at most ${max_usd_per_1000:g} per 1,000 questions",
            f"The cheapest costs ${1000 * np.nanmin(usd):.4g}",
        )
    return meets


def _not_worse(outcomes: Outcomes, tolerance: float) -> NDArray[np.bool_]:
    """bool[settings]: generated, no guarded measure lower by the tolerance, none worse at all.

    The lower end of the interval of the paired difference must lie above -tolerance; right
    abstentions, of which there are too few questions for that, may not be seen to be worse.
    """
    meets = np.array(outcomes.generated)
    for measure in GUARDED:
        meets &= outcomes.differences(measure).low > -tolerance
    meets &= ~(outcomes.differences(RIGHT).high < 0)
    meets[0] = True
    return meets


Verdict = Literal["confirmed", "refuted", "open"]


def confirmed(difference: Difference, tolerance: float) -> Verdict:
    """Whether a difference is above -tolerance (a share), below it, or neither can be said."""
    if difference.at_least > -tolerance:
        return "confirmed"
    return "refuted" if difference.high < -tolerance else "open"
