"""Dollars: prices x tokens x traffic x what the caches spare, with bands.

    usd per user and day = requests x (1 - hit rate) x usd per generation
    usd per generation = tokens in x price in + tokens out x price out

A request served from the cache, or refused, or without context, costs nothing: the first is in the
hit rate, the others are questions with 0 tokens in the measured sample. What is not known is a
band: from the cost with everything at its cheapest to that with everything at its dearest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from evals.simulation.prices import DAYS_PER_MONTH
from evals.simulation.traffic import Floats
from evals.stats.intervals import Estimate, resampled_means
from rag_core.domain import Prices
from rag_core.errors import InvalidInput

DRAWS = 10_000
"""Of a bootstrap; chosen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StatedTokens:
    """Mean tokens of a generated answer, known to an interval."""

    input: Estimate
    output: Estimate

    def means(self) -> tuple[float, float]:
        """Mean tokens in and out."""
        return self.input.value, self.output.value


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MeasuredTokens:
    """Tokens of each golden question, float64[n] in and out; 0 where no LLM was called.

    Raises:
        InvalidInput: the arrays are empty, differ in length, or hold a negative number.
    """

    input: Floats
    output: Floats

    def __post_init__(self) -> None:
        if not len(self.input) or len(self.input) != len(self.output):
            raise InvalidInput(
                "tokens",
                f"need one input and one output count per question, "
                f"got {len(self.input)} and {len(self.output)}",
            )
        if not (np.min(self.input) >= 0 and np.min(self.output) >= 0):
            raise InvalidInput("tokens", "must be numbers >= 0")

    @classmethod
    def of(cls, input_tokens: ArrayLike, output_tokens: ArrayLike) -> MeasuredTokens:
        """From any two sequences of numbers."""
        return cls(
            input=np.asarray(input_tokens, dtype=np.float64),
            output=np.asarray(output_tokens, dtype=np.float64),
        )

    def means(self) -> tuple[float, float]:
        """Mean tokens in and out."""
        return float(self.input.mean()), float(self.output.mean())

    def draws(self, rng: np.random.Generator, count: int) -> tuple[Floats, Floats]:
        """float64[count] twice: bootstrap means of tokens in and out, which are drawn together."""
        means_in, means_out = resampled_means(rng, count, self.input, self.output)
        return means_in, means_out


Tokens: TypeAlias = StatedTokens | MeasuredTokens


@dataclass(frozen=True, slots=True, kw_only=True)
class Factors:
    """The cost formula's factors, as plain numbers."""

    users: float
    requests_per_user_day: float
    hit_rate: float
    input_tokens: float
    output_tokens: float
    input_price_usd: float
    output_price_usd: float

    @property
    def usd_per_request(self) -> float:
        """Cost of a request that no cache serves."""
        return self.input_tokens * self.input_price_usd + self.output_tokens * self.output_price_usd

    @property
    def usd_per_day(self) -> float:
        """Cost of all users' requests of a day."""
        generated = self.users * self.requests_per_user_day * (1 - self.hit_rate)
        return generated * self.usd_per_request

    @property
    def usd_per_month(self) -> float:
        """Cost of 30 days."""
        return self.usd_per_day * DAYS_PER_MONTH


@dataclass(frozen=True, slots=True, kw_only=True)
class CostAssumptions:
    """What a user's day is supposed to cost.

    Raises:
        InvalidInput: a value is out of range; names the field and the value.
    """

    tokens: Tokens
    requests_per_user_day: Estimate
    hit_rate: Estimate
    prices: Prices = field(default_factory=Prices)

    def __post_init__(self) -> None:
        if not 0 <= self.hit_rate.low <= self.hit_rate.high <= 1:
            raise InvalidInput("hit_rate", f"must be in [0, 1], got {self.hit_rate!r}")
        if self.requests_per_user_day.low < 0:
            raise InvalidInput(
                "requests_per_user_day", f"must be >= 0, got {self.requests_per_user_day!r}"
            )

    def factors(self, users: float) -> Factors:
        """The factors at their central values."""
        input_tokens, output_tokens = self.tokens.means()
        return Factors(
            users=users,
            requests_per_user_day=self.requests_per_user_day.value,
            hit_rate=self.hit_rate.value,
            input_tokens=input_tokens,
            output_tokens=output_tokens,
            input_price_usd=self.prices.input_usd,
            output_price_usd=self.prices.output_usd,
        )

    def usd_per_user_day(self, *, draws: int = DRAWS, seed: int = 7) -> Estimate:
        """Mean cost of one user's day: with every factor at its cheapest, and at its dearest."""
        usd, requests = self.usd_per_generation(draws=draws, seed=seed), self.requests_per_user_day
        return Estimate(
            self.factors(users=1).usd_per_day,
            usd.low * requests.low * (1 - self.hit_rate.high),
            usd.high * requests.high * (1 - self.hit_rate.low),
        )

    def usd_per_generation(self, *, draws: int = DRAWS, seed: int = 7) -> Estimate:
        """Mean cost of a request that no cache serves: an interval if tokens are measured."""
        value = self.factors(users=1).usd_per_request
        if isinstance(self.tokens, StatedTokens):
            tokens_in, tokens_out = self.tokens.input, self.tokens.output
            ends = [
                getattr(tokens_in, end) * self.prices.input_usd
                + getattr(tokens_out, end) * self.prices.output_usd
                for end in ("low", "high")
            ]
            return Estimate(value, *ends)
        drawn_in, drawn_out = self.tokens.draws(np.random.default_rng(seed), draws)
        usd = drawn_in * self.prices.input_usd + drawn_out * self.prices.output_usd
        return Estimate.of_draws(value, usd)


REFERENCE = CostAssumptions(
    tokens=StatedTokens(input=Estimate.exact(700), output=Estimate.exact(200)),
    requests_per_user_day=Estimate.exact(10),
    hit_rate=Estimate.exact(0.0),
)
"""The reference table's $0.00026 a request and 10 a day. It states no tokens; 700 in and 200 out
are one pair that costs as much at the default prices."""

REFERENCE_HIT_RATE = Estimate.exact(0.6)


def project(
    assumptions: CostAssumptions,
    users: Sequence[int] = (100, 1_000, 10_000),
    *,
    draws: int = DRAWS,
    seed: int = 7,
) -> pd.DataFrame:
    """Dollars per day and per month (30 days) for each number of users, with bands.

    Columns: users, usd_day, usd_day_low, usd_day_high, usd_month, usd_month_low, usd_month_high.
    """
    each = assumptions.usd_per_user_day(draws=draws, seed=seed)
    table = pd.DataFrame({"users": list(users)})
    for period, days in (("day", 1), ("month", DAYS_PER_MONTH)):
        table[f"usd_{period}"] = table["users"] * each.value * days
        table[f"usd_{period}_low"] = table["users"] * each.low * days
        table[f"usd_{period}_high"] = table["users"] * each.high * days
    return table


@dataclass(frozen=True, slots=True)
class Budget:
    """Dollars that may be spent in a day, by one user or by all."""

    name: str
    usd_day: float
    per_user: bool = False


BUDGETS = (
    Budget("cap per user", 5.0, per_user=True),
    Budget("target for all", 50.0),
    Budget("cap for all", 100.0),
)


def crossings(
    assumptions: CostAssumptions,
    budgets: Sequence[Budget] = BUDGETS,
    *,
    draws: int = DRAWS,
    seed: int = 7,
) -> pd.DataFrame:
    """Where each budget is crossed: at how many users, or at how many requests of one user a day.

    Columns: budget, usd_day, unit, at, at_low, at_high (infinite where nothing is ever spent).
    """
    each = assumptions.usd_per_user_day(draws=draws, seed=seed)
    requests = assumptions.requests_per_user_day.value
    rows = []
    for budget in budgets:
        scale = requests if budget.per_user else 1.0
        rows.append(
            {
                "budget": budget.name,
                "usd_day": budget.usd_day,
                "unit": "requests of one user a day" if budget.per_user else "users",
                "at": _times(budget.usd_day, each.value) * scale,
                "at_low": _times(budget.usd_day, each.high) * scale,
                "at_high": _times(budget.usd_day, each.low) * scale,
            }
        )
    return pd.DataFrame(rows)


def _times(budget_usd: float, each_usd: float) -> float:
    return budget_usd / each_usd if each_usd > 0 else np.inf


def tornado(
    assumptions: CostAssumptions,
    users: int = 1_000,
    *,
    relative: float = 0.2,
    ranges: Mapping[str, tuple[float, float]] | None = None,
) -> pd.DataFrame:
    """Monthly dollars when one factor at a time moves, widest swing first.

    Each factor moves down and up by the share `relative`, or between the bounds that `ranges`
    gives for it.
    Columns: factor, low, base, high, usd_month_at_low, usd_month, usd_month_at_high, swing_usd.

    Raises:
        InvalidInput: `ranges` names no factor.
    """
    base, given = assumptions.factors(users), dict(ranges or {})
    names = [each.name for each in fields(Factors)]
    if unknown := sorted(set(given) - set(names)):
        raise InvalidInput(unknown[0], "is no factor of the cost", f"Known: {', '.join(names)}")
    rows = []
    for name in names:
        value = float(getattr(base, name))
        low, high = given.get(name, (value * (1 - relative), value * (1 + relative)))
        if name == "hit_rate":
            high = min(high, 1.0)
        at_low = replace(base, **{name: low}).usd_per_month
        at_high = replace(base, **{name: high}).usd_per_month
        rows.append(
            {
                "factor": name,
                "low": low,
                "base": value,
                "high": high,
                "usd_month_at_low": at_low,
                "usd_month": base.usd_per_month,
                "usd_month_at_high": at_high,
                "swing_usd": abs(at_high - at_low),
            }
        )
    return pd.DataFrame(rows).sort_values("swing_usd", ascending=False, ignore_index=True)
