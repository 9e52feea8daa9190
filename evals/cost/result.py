"""What a cost study comes to: headline numbers, tables, a verdict."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from evals.cost.model import REFERENCE
from evals.cost.plots import FACTOR_NAMES
from evals.cost.study import (
    DEPLOYED,
    NO_CACHE,
    RECOMMENDED,
    TABLE,
    CostStudy,
    reference_table,
)
from evals.results.numbers import count, dollars, estimate, share
from evals.results.result import Cell, Headline, NotebookResult, Picture, Table

STATED = {100: (7.80, 3.12), 1_000: (78.0, 31.20), 10_000: (780.0, 312.0)}
"""The reference table: users, and dollars a month without caches and at 60 % hits."""


def cost_result(study: CostStudy, pictures: Sequence[Picture]) -> NotebookResult:
    """All of it, for the report."""
    caption = f"Simulated, low and high are bands. {supposed_output(study)}"
    return NotebookResult(
        title="Cost",
        verdict=verdict(study),
        n=study.sample.generated,
        headlines=headlines(study),
        pictures=tuple(pictures),
        tables=(
            _table("Dollars by number of users", projection_table(study), caption),
            _table("The reference table, computed from its assumptions", stated_table()),
            _table("Where budgets are reached", crossing_table(study), caption),
            _table("What moves the bill", tornado_table(study), caption),
            _table("What each cache must do to pay", break_even_table(study), caption),
        ),
        data={"amounts": _amounts(study)},
        facts={
            "tokens": f"{study.sample.source}; {study.sample.generated} of {study.sample.asked} "
            f"golden questions reached the generator, {study.sample.generator}",
            "hit rates": study.hit_rates.source,
            "prices": f"{dollars(1e6 * study.deployed.prices.input_usd)} in, "
            f"{dollars(1e6 * study.deployed.prices.output_usd)} out, per million tokens",
        },
    )


def _amounts(study: CostStudy) -> dict[str, float]:
    """What a gate compares."""
    case = study.deployed
    per_request = case.usd_per_generation().value * (1 - case.hit_rate.value)
    return {
        "dollars per 1,000 questions": 1_000 * case.usd_per_generation().value,
        "dollars per 1,000 requests": 1_000 * per_request,
        "tokens in per question": case.tokens.means()[0],
    }


def headlines(study: CostStudy) -> tuple[Headline, ...]:
    """The numbers a manager asks for; all but a measured LLM's price are simulated."""
    rate, users = study.deployed.hit_rate, study.tornado_users
    return (
        thousand_questions(study),
        _monthly(study, f"A month of {users:,} users", DEPLOYED, key=True),
        _monthly(study, f"{users:,} users, recommended TTLs", RECOMMENDED),
        Headline(
            name="Requests that cost nothing", value=rate.value, low=rate.low, high=rate.high,
            n=study.hit_rates.deployed.traffics, unit="share", simulated=True,
            meaning="Share served from the cache; the reference table's is 60 %.",
        ),
        _reached(study, "Users at $50 a day", "target for all", "spend the daily target"),
        _reached(study, "Users at $100 a day", "cap for all", "reach the daily cap"),
    )  # fmt: skip


def thousand_questions(study: CostStudy) -> Headline:
    """The one figure of what questions cost: measured where an LLM answered, else supposed."""
    each, sample = study.deployed.usd_per_generation(), study.sample
    name, meaning, n = "Cost of 1,000 questions", "Golden questions, nothing cached.", 0
    if sample.extractive:
        meaning = (
            f"By an LLM, nothing cached. {supposed_output(study)} Tokens in are measured, on "
            f"{sample.generated} golden questions. The generator that is configured, "
            f"{sample.generator}, costs nothing."
        )
    else:
        n = sample.generated
    return Headline(
        name=name, value=1_000 * each.value, low=1_000 * each.low, high=1_000 * each.high, n=n,
        unit="usd", better="lower", target=None if sample.extractive else 0.26, key=True,
        simulated=sample.extractive, group="speed and money", meaning=meaning,
    )  # fmt: skip


def supposed_output(study: CostStudy) -> str:
    """A sentence on the length of an LLM's answers; empty once one has answered."""
    if not study.sample.extractive:
        return ""
    out = study.supposed_output
    return (
        f"No LLM has answered yet: {count(out.value)} tokens out are supposed, "
        f"{count(out.low)} to {count(out.high)} in the band."
    )


def verdict(study: CostStudy) -> str:
    """A paragraph computed from the numbers."""
    case, users = study.deployed, study.tornado_users
    tokens_in, tokens_out = case.tokens.means()
    each, stated = case.usd_per_generation(), REFERENCE.factors(users=1)
    month, table = (study.usd_month(name, users)["usd_month"] for name in (DEPLOYED, TABLE))
    row = study.usd_month(DEPLOYED, users)
    uncached, best = (study.usd_month(name, users)["usd_month"] for name in (NO_CACHE, RECOMMENDED))
    length = "supposed" if study.sample.extractive else "measured"
    sentences = [
        "The reference table comes out as stated from its own assumptions."
        if reproduced() else "The reference table does NOT come out as stated.",
        f"It states no tokens; 700 in and 200 out cost its {dollars(stated.usd_per_request)}. An "
        f"answer to the golden questions takes {count(tokens_in)} tokens in, measured, "
        f"{tokens_in / stated.input_tokens:.1f} times as many, and {count(tokens_out)} out, "
        f"{length}: {estimate(each, 'usd')}, "
        f"{each.value / stated.usd_per_request:.2f} times the table's price. "
        f"{supposed_output(study)}",
        f"Simulated: the caches, as deployed, serve {share(case.hit_rate.value)} of the requests "
        f"as assumed, {share(case.hit_rate.low)} to {share(case.hit_rate.high)} over plausible "
        f"traffics, not the table's 60 %. So {users:,} users cost {dollars(month)} a month, from "
        f"{dollars(row['usd_month_low'])} to {dollars(row['usd_month_high'])} with all at its "
        f"cheapest and at its dearest, against the table's {dollars(table)}; {dollars(best)} with "
        f"the recommended TTLs, and {dollars(uncached)} without caches.",
        f"The target of $50 a day is reached at {count(_at(study, 'target for all'))} users, "
        f"the cap of $100 at {count(_at(study, 'cap for all'))}; one user's cap of $5 only at "
        f"{count(_at(study, 'cap per user'))} requests a day, far past the rate limit of 500 "
        "a day.",
        f"For {users:,} users the answer cache saves {_saved(study, 'answer')} a month, the "
        f"embedding cache {_saved(study, 'embedding')} and the context cache "
        f"{_saved(study, 'context')}: those two are for speed.",
    ]  # fmt: skip
    return " ".join(sentences)


def reproduced() -> bool:
    """Whether the reference table's own assumptions give the reference table, to the cent."""
    computed = reference_table(list(STATED)).drop(columns="users").round(2).to_numpy()
    return bool((computed == list(STATED.values())).all())


def projection_table(study: CostStudy) -> pd.DataFrame:
    """Dollars a day and a month with their bands; a row per case and number of users."""
    rows = pd.concat(study.projections, names=["case"])
    return rows.reset_index(level="case").set_index("case").round(4)


def stated_table() -> pd.DataFrame:
    """Dollars a month, stated beside computed, a row per number of users."""
    table = reference_table(list(STATED)).set_index("users").round(2)
    stated = list(zip(*STATED.values(), strict=True))
    return pd.DataFrame(
        {
            "stated": stated[0],
            "computed": table["usd_month"],
            "stated at 60 % hits": stated[1],
            "computed at 60 % hits": table["usd_month_at_60_percent_hits"],
        }
    )


def crossing_table(study: CostStudy) -> pd.DataFrame:
    """A row per budget: at how many users, or requests of one user, it is spent."""
    return study.crossings.set_index("budget").round({"at": 0, "at_low": 0, "at_high": 0})


def tornado_table(study: CostStudy) -> pd.DataFrame:
    """A row per factor, widest swing first."""
    table = study.tornado.assign(factor=study.tornado["factor"].map(FACTOR_NAMES))
    return table.set_index("factor")


def break_even_table(study: CostStudy) -> pd.DataFrame:
    """A row per cache level."""
    return study.break_even.set_index("level")


def _monthly(study: CostStudy, name: str, case: str, *, key: bool = False) -> Headline:
    row = study.usd_month(case, study.tornado_users)
    return Headline(
        name=name, value=float(row["usd_month"]), low=float(row["usd_month_low"]),
        high=float(row["usd_month_high"]), n=study.hit_rates.deployed.traffics, unit="usd",
        better="lower", key=key, simulated=True,
        meaning=f"With {case}, all requests of 30 days by an LLM. {supposed_output(study)}",
    )  # fmt: skip


def _reached(study: CostStudy, name: str, budget: str, what: str) -> Headline:
    """Nothing is reached where nothing is ever spent."""
    value, low, high = (_finite(_at(study, budget, end)) for end in ("at", "at_low", "at_high"))
    return Headline(
        name=name, value=value, low=low, high=high, n=study.hit_rates.deployed.traffics,
        unit="count", simulated=True,
        meaning=f"So many users {what} together. {supposed_output(study)}",
    )  # fmt: skip


def _finite(value: float) -> float | None:
    return value if np.isfinite(value) else None


def _at(study: CostStudy, budget: str, column: str = "at") -> float:
    return float(study.crossings.set_index("budget")[column].loc[budget])


def _saved(study: CostStudy, level: str) -> str:
    usd = float(study.break_even.set_index("level")["usd_saved_month"].loc[level])
    return dollars(usd) if usd >= 0.01 else "less than a cent"


def _table(title: str, frame: pd.DataFrame, caption: str = "") -> Table:
    flat = frame.reset_index()
    rows: list[tuple[Cell, ...]] = [tuple(row) for row in flat.astype(object).to_numpy().tolist()]
    return Table(title, tuple(map(str, flat.columns)), tuple(rows), caption)
