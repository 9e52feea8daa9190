"""What a cost study comes to: headline numbers, tables, a verdict."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from evals.cost.model import REFERENCE
from evals.cost.plots import FACTOR_NAMES
from evals.cost.study import (
    DEPLOYED,
    LONGEST,
    NO_CACHE,
    RECOMMENDED,
    TABLE,
    CostStudy,
    reference_table,
)
from evals.results.numbers import count, dollars, estimate
from evals.results.result import Cell, Headline, NotebookResult, Picture, Table

STATED = {100: (7.80, 3.12), 1_000: (78.0, 31.20), 10_000: (780.0, 312.0)}
"""The reference table: users, and dollars a month without caches and at 60 % hits."""


def cost_result(study: CostStudy, pictures: Sequence[Picture]) -> NotebookResult:
    """All of it, for the report."""
    return NotebookResult(
        title="Cost",
        verdict=verdict(study),
        n=study.sample.generated,
        headlines=headlines(study),
        pictures=tuple(pictures),
        tables=(
            _table("Dollars by number of users", projection_table(study)),
            _table("The reference table, computed from its assumptions", stated_table()),
            _table("Where budgets are reached", crossing_table(study)),
            _table("What moves the bill", tornado_table(study)),
            _table("What each cache must do to pay", break_even_table(study)),
        ),
        facts={
            "tokens": f"{study.sample.source}; {study.sample.generated} of {study.sample.asked} "
            f"golden questions reached the generator, {study.sample.generator}",
            "hit rates": study.hit_rates.source,
            "prices": f"{dollars(1e6 * study.deployed.prices.input_usd)} in, "
            f"{dollars(1e6 * study.deployed.prices.output_usd)} out, per million tokens",
        },
    )


def headlines(study: CostStudy) -> tuple[Headline, ...]:
    """The numbers a manager asks for."""
    each, n = study.deployed.usd_per_generation(), study.sample.generated
    rate, requests = study.deployed.hit_rate, study.hit_rates.deployed.report.requests
    users = study.tornado_users
    month, best = study.usd_month(DEPLOYED, users), study.usd_month(RECOMMENDED, users)
    return (
        Headline(
            name="1,000 LLM answers", value=1_000 * each.value, low=1_000 * each.low,
            high=1_000 * each.high, n=n, unit="usd", better="lower", target=0.26, key=True,
            meaning="What a thousand answers cost that no cache gives, at the tokens measured.",
        ),
        _monthly(f"A month of {users:,} users", month, n, "With the deployed TTLs"),
        _monthly(f"{users:,} users, recommended TTLs", best, n, "With the recommended TTLs"),
        Headline(
            name="Served from the cache", value=rate.value, low=rate.low, high=rate.high,
            n=requests, unit="share",
            meaning="Share of simulated requests that cost nothing; the reference table's is 60 %.",
        ),
        Headline(
            name="Users at $50 a day", value=_at(study, "target for all"), n=n, unit="count",
            meaning="So many users spend the daily target together.",
        ),
        Headline(
            name="Users at $100 a day", value=_at(study, "cap for all"), n=n, unit="count",
            meaning="So many users reach the daily cap together.",
        ),
    )  # fmt: skip


def verdict(study: CostStudy) -> str:
    """A paragraph computed from the numbers."""
    case, users = study.deployed, study.tornado_users
    tokens_in, tokens_out = case.tokens.means()
    each, stated = case.usd_per_generation(), REFERENCE.factors(users=1)
    month, table = (study.usd_month(name, users)["usd_month"] for name in (DEPLOYED, TABLE))
    uncached, best = (study.usd_month(name, users)["usd_month"] for name in (NO_CACHE, RECOMMENDED))
    sentences = [
        "The reference table comes out as stated from its own assumptions."
        if reproduced() else "The reference table does NOT come out as stated.",
        f"It states no tokens; 700 in and 200 out cost its {dollars(stated.usd_per_request)}. An "
        f"answer to the golden questions takes {count(tokens_in)} tokens in, "
        f"{tokens_in / stated.input_tokens:.1f} times as many, and {count(tokens_out)} out: "
        f"{estimate(each, 'usd')}, "
        f"{each.value / stated.usd_per_request:.2f} times the table's price.",
        *_longest(study),
        f"The caches, as deployed, serve {estimate(case.hit_rate, 'share')} of the simulated "
        f"requests, not the table's 60 %. So {users:,} users cost {dollars(month)} a month, "
        f"{month / table:.1f} times the table's {dollars(table)}; {dollars(best)} with the "
        f"recommended TTLs, and {dollars(uncached)} without caches.",
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
    """Dollars a day and a month with their intervals; a row per case and number of users."""
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


def _longest(study: CostStudy) -> list[str]:
    if LONGEST not in study.cases:
        return []
    longest = study.cases[LONGEST].factors(users=1).usd_per_request
    return [
        "Those answers are quotes by the extractive generator; an LLM writes more. At "
        f"{study.output_cap} tokens, the most allowed, an answer costs {dollars(longest)}, "
        f"{longest / REFERENCE.factors(users=1).usd_per_request:.2f} times the table's price."
    ]


def _monthly(name: str, row: pd.Series[float], n: int, what: str) -> Headline:
    return Headline(
        name=name, value=float(row["usd_month"]), low=float(row["usd_month_low"]),
        high=float(row["usd_month_high"]), n=n, unit="usd", better="lower", key=True,
        meaning=f"{what}, all requests of 30 days.",
    )  # fmt: skip


def _at(study: CostStudy, budget: str) -> float:
    return float(study.crossings.set_index("budget")["at"].loc[budget])


def _saved(study: CostStudy, level: str) -> str:
    usd = float(study.break_even.set_index("level")["usd_saved_month"].loc[level])
    return dollars(usd) if usd >= 0.01 else "less than a cent"


def _table(title: str, frame: pd.DataFrame) -> Table:
    flat = frame.reset_index()
    rows: list[tuple[Cell, ...]] = [tuple(row) for row in flat.astype(object).to_numpy().tolist()]
    return Table(title, tuple(map(str, flat.columns)), tuple(rows))
