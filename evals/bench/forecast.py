"""Early warnings of budgets on simulated spend, beside the straight line through the day so far.

Everything is simulated but the time that a forecast takes. The rules were chosen on the even seeds
(`choice` does it again) and are reported on the odd ones.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path

from evals.bench.figures import Figure
from evals.bench.forecast_replay import (
    LEVELS,
    MONDAY,
    ReplayedDay,
    Warnings,
    forecast_says,
    judged,
    month_ends,
    replayed,
    straight_line_says,
)
from rag_core.budget import DEPLOYED, HISTORY_DAYS, ForecastRules, History
from rag_core.cli import progress_bar

SEEDS = 40
"""Even ones to choose on, odd ones to report on."""
MAX_FALSE = 0.05
"""Half of what is allowed: the rules that warn earliest within it are chosen."""
CREDIBILITIES = (0.05, 0.1, 0.2, 0.4)
HALF_LIVES = (7.0, 14.0)
PROBABILITIES = (0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.95)
TIMED = 200
"""Forecasts that the time of one is taken over; chosen."""
_SIMULATED = "simulated: "


async def warnings(folder: Path) -> list[Figure]:
    """Days warned of in time, false warnings and intervals, on the odd seeds."""
    seeds = range(1, SEEDS, 2)
    days: list[ReplayedDay] = []
    with progress_bar(len(seeds), "replaying", "seed") as bar:
        for seed in seeds:
            days += replayed([seed], DEPLOYED)
            bar.update()
    forecast = judged(days, [forecast_says(day, DEPLOYED.warn_at) for day in days])
    line = judged(days, [straight_line_says(day) for day in days])
    inside = sum(day.inside for day in days) / len(days)
    months = month_ends(seeds)
    return [
        *_figures("forecast", forecast, required=True),
        *_figures("straight line", line, required=False),
        *(_of_level(days, level) for level in LEVELS),
        Figure(f"{_SIMULATED}days within noon's interval", _percent(inside), "80 % meant"),
        Figure(
            f"{_SIMULATED}months within their interval",
            f"{_percent(sum(months) / len(months))} of {len(months)}",
            "80 % meant",
        ),
    ]


async def choice(folder: Path) -> list[Figure]:
    """The rules that warn earliest on the even seeds, with few false warnings."""
    best, best_lead_h = DEPLOYED, -1.0
    grid = list(product(CREDIBILITIES, HALF_LIVES))
    with progress_bar(len(grid), "choosing", "rule") as bar:
        for credibility, half_life in grid:
            rules = ForecastRules(credibility=credibility, half_life_days=half_life)
            days = list(replayed(range(0, SEEDS, 2), rules))
            for warn_at in PROBABILITIES:
                seen = judged(days, [forecast_says(day, warn_at) for day in days])
                if seen.false_share <= MAX_FALSE and seen.lead_h > best_lead_h:
                    best, best_lead_h = replace(rules, warn_at=warn_at), seen.lead_h
            bar.update()
    return [
        Figure(f"{_SIMULATED}chosen rules", _rules(best), _rules(DEPLOYED), best == DEPLOYED),
        Figure(f"{_SIMULATED}their median lead", f"{best_lead_h:.1f} h", ""),
    ]


async def cost(folder: Path) -> list[Figure]:
    """CPU of a day's history, once a day, and of a forecast from it."""
    past = [tuple(float(hour + day) for hour in range(24)) for day in range(HISTORY_DAYS)]
    began = time.process_time()
    for _ in range(TIMED):
        history = History(past, MONDAY)
    built = time.process_time()
    for step in range(TIMED):
        history.day(24 * step / TIMED, float(step)).probability_over(1e3)
    ended = time.process_time()
    return [
        Figure("history of four weeks", f"{(built - began) / TIMED * 1e6:.0f} µs CPU", ""),
        Figure("a forecast", f"{(ended - built) / TIMED * 1e6:.0f} µs CPU", ""),
    ]


def _figures(name: str, seen: Warnings, *, required: bool) -> list[Figure]:
    caught, false = seen.caught, seen.false_share
    return [
        Figure(
            f"{_SIMULATED}{name}: days over budget, warned ≥ 1 h before",
            f"{_percent(caught)} of {seen.over}",
            "≥ 90 %" if required else "",
            caught >= 0.9 if required else None,
        ),
        Figure(
            f"{_SIMULATED}{name}: days under budget, warned falsely",
            f"{_percent(false)} of {seen.under}",
            "≤ 10 %" if required else "",
            false <= 0.1 if required else None,
        ),
        Figure(f"{_SIMULATED}{name}: median lead", f"{seen.lead_h:.1f} h", ""),
    ]


def _of_level(days: Sequence[ReplayedDay], level: float) -> Figure:
    chosen = [day for day in days if day.level == level]
    seen = judged(chosen, [forecast_says(day, DEPLOYED.warn_at) for day in chosen])
    return Figure(
        f"{_SIMULATED}budget of {level:g} average days: warned · falsely",
        f"{seen.warned} of {seen.over} · {seen.false} of {seen.under}",
        "",
    )


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


def _rules(rules: ForecastRules) -> str:
    return f"k {rules.credibility:g}, {rules.half_life_days:g} days, {rules.warn_at:g}"
