"""What the service costs: measured tokens, simulated hit rates, and prices, put together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec
import pandas as pd

from evals.cost.break_even import (
    CacheLevel,
    achieved_hit_rates,
    break_even,
    cache_levels,
)
from evals.cost.golden_tokens import TokenSample
from evals.cost.model import (
    REFERENCE,
    REFERENCE_HIT_RATE,
    CostAssumptions,
    StatedTokens,
    crossings,
    project,
    tornado,
)
from evals.project import project_path, project_settings
from evals.results.result import read_result
from evals.simulation.choice import (
    Choice,
    choose,
    decide,
    deployed_setting,
    grids,
    recommended_setting,
)
from evals.simulation.plausible import MeasuredEvidence, plausible
from evals.simulation.prices import DAYS_PER_MONTH, ComputePrices, Objective
from evals.simulation.scale import SCALES
from evals.simulation.traffic import Assumptions
from evals.stats.intervals import Estimate
from rag_core.domain import Prices
from rag_core.errors import InvalidInput

NO_CACHE, DEPLOYED, RECOMMENDED = "no cache", "deployed TTLs", "recommended TTLs"
TABLE = "reference table, 60 % hits"
SIMULATED = Assumptions(users=50, days=28.0)
"""Traffic that hit rates are simulated on where the cache notebook left none."""
SUPPOSED_EVIDENCE = MeasuredEvidence(
    touch=Estimate(0.75, 0.5, 1.0), enter=Estimate(0.0025, 0.0, 0.005), notes=3
)
"""Supposed, where the cache notebook has measured nothing."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class HitRates:
    """What the caches do, and who says so."""

    deployed: Choice
    recommended: Choice
    source: str


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CostStudy:
    """What a month costs, by number of users and by case, and what moves it."""

    users: tuple[int, ...]
    sample: TokenSample
    hit_rates: HitRates
    cases: dict[str, CostAssumptions]
    """What a day costs, by what is supposed; in the order of the picture's lines."""
    projections: dict[str, pd.DataFrame]
    """Columns of `model.project`, by case."""
    crossings: pd.DataFrame
    """Columns of `model.crossings`."""
    tornado: pd.DataFrame
    """Columns of `model.tornado`."""
    tornado_users: int
    break_even: pd.DataFrame
    """A row per cache level."""
    output_cap: int
    """Tokens of an answer at most."""
    supposed_output: Estimate
    """Tokens of an LLM's answer, until one has answered."""

    @property
    def deployed(self) -> CostAssumptions:
        """The case that describes what runs."""
        return self.cases[DEPLOYED]

    def usd_month(self, case: str, users: int) -> pd.Series[float]:
        """A case's row for so many users."""
        table = self.projections[case]
        row: pd.Series[float] = table[table["users"] == users].iloc[0]
        return row


def user_counts(text: str) -> tuple[int, ...]:
    """`"100, 1_000, 10_000"` as whole numbers, ascending.

    Raises:
        InvalidInput: something in it is no number above 0.
    """
    try:
        counts = tuple(sorted({int(part) for part in text.replace(",", " ").split()}))
    except ValueError as error:
        raise InvalidInput("users", f"must be whole numbers, got {text!r}") from error
    if not counts or counts[0] < 1:
        raise InvalidInput("users", f"must be numbers of at least 1, got {text!r}")
    return counts


def result_path(given: str, out_path: Path, notebook: str) -> Path:
    """Where another notebook's result is: as given, or else beside this one's, if it ran.

    Raises:
        InvalidInput: the given file is not there.
    """
    if not given:
        return out_path.with_name(f"{notebook}.json")
    path = project_path(given)
    if not path.is_file():
        raise InvalidInput(given, "is not there", f"Run {notebook}, or leave it empty")
    return path


def cost_study(
    sample: TokenSample,
    rates: HitRates,
    *,
    users: Sequence[int],
    requests_per_user_day: float,
    requests_spread: float,
    compute: ComputePrices,
    output: Estimate | None = None,
    seed: int = 7,
) -> CostStudy:
    """Put tokens, hit rates and the prices of the environment's settings together.

    `requests_spread` is the share by which requests a day may be fewer or more; `output` the tokens
    that an LLM's answer is supposed to have, as long as none has answered.

    Raises:
        InvalidInput: an assumption is out of range.
    """
    if not 0 <= requests_spread < 1:
        raise InvalidInput("requests_spread", f"must be in [0, 1), got {requests_spread!r}")
    settings = project_settings()
    requests = Estimate(
        requests_per_user_day,
        requests_per_user_day * (1 - requests_spread),
        requests_per_user_day * (1 + requests_spread),
    )
    supposed = output or output_range(settings.output_tokens)
    deployed = CostAssumptions(
        tokens=sample.priced(supposed),
        requests_per_user_day=requests,
        hit_rate=rates.deployed.hit_rate,
        prices=Prices(settings.price_input_usd, settings.price_output_usd),
    )
    cases = _cases(deployed, rates)
    shown = sorted(users)[len(users) // 2]
    return CostStudy(
        users=tuple(users),
        sample=sample,
        hit_rates=rates,
        cases=cases,
        projections={name: project(case, users, seed=seed) for name, case in cases.items()},
        crossings=crossings(deployed, seed=seed),
        tornado=tornado(deployed, shown, ranges=_ranges(deployed, rates)),
        tornado_users=shown,
        break_even=_break_even(deployed, rates.deployed, compute, shown),
        output_cap=settings.output_tokens,
        supposed_output=supposed,
    )


def output_range(most: int, supposed: float = 200.0, least: float = 50.0) -> Estimate:
    """Tokens of an LLM's answer as supposed, from `least` to the `most` that are allowed.

    Raises:
        InvalidInput: they are not in this order.
    """
    if not 0 <= least <= supposed <= most:
        raise InvalidInput(
            "llm_output_tokens",
            f"must have 0 <= least <= supposed <= {most} (RAG_OUTPUT_TOKENS), "
            f"got {least!r} and {supposed!r}",
        )
    return Estimate(supposed, least, float(most))


def cache_hit_rates(cache_result: Path, *, seed: int) -> HitRates:
    """Hit rates that the cache notebook found, or simulated now if there is no result of it."""
    return hit_rates_of_result(cache_result) if cache_result.is_file() else hit_rates_now(seed)


def hit_rates_of_result(path: Path) -> HitRates:
    """Hit rates that the cache notebook found.

    Raises:
        InvalidInput: there is no such result, or it holds none.
    """
    data = read_result(path).data
    try:
        choices = msgspec.convert(data.get("choices"), dict[str, Choice])
        return HitRates(
            deployed=choices["deployed"],
            recommended=choices["recommended"],
            source=f"result of {path.stem}",
        )
    except (msgspec.ValidationError, KeyError) as error:
        raise InvalidInput(
            str(path), f"holds no hit rates: {error}", "Give the result of 03_cache"
        ) from error


def hit_rates_now(seed: int) -> HitRates:
    """Hit rates simulated on the default traffic and all that is plausible beside it."""
    assumptions, how = replace(SIMULATED, seed=seed), SCALES["smoke"]
    timelines = plausible(assumptions, SUPPOSED_EVIDENCE, requests=how.corner_requests)
    setting = deployed_setting(project_settings())
    decisions = decide(timelines, grids(how), setting, Objective(), users=assumptions.users)
    return HitRates(
        deployed=choose(timelines, setting),
        recommended=choose(timelines, recommended_setting(setting, decisions)),
        source="simulated by this notebook on default traffic, edits supposed",
    )


def reference_table(users: Sequence[int]) -> pd.DataFrame:
    """Dollars a month by the reference table's own assumptions, a row per number of users.

    Columns: users, usd_month, usd_month_at_60_percent_hits.
    """
    cached = replace(REFERENCE, hit_rate=REFERENCE_HIT_RATE)
    return pd.DataFrame(
        {
            "users": list(users),
            "usd_month": project(REFERENCE, users)["usd_month"],
            "usd_month_at_60_percent_hits": project(cached, users)["usd_month"],
        }
    )


def _cases(deployed: CostAssumptions, rates: HitRates) -> dict[str, CostAssumptions]:
    return {
        NO_CACHE: replace(deployed, hit_rate=Estimate.exact(0.0)),
        DEPLOYED: deployed,
        RECOMMENDED: replace(deployed, hit_rate=rates.recommended.hit_rate),
        TABLE: replace(REFERENCE, hit_rate=REFERENCE_HIT_RATE),
    }


def _ranges(deployed: CostAssumptions, rates: HitRates) -> dict[str, tuple[float, float]]:
    """Where we know more than a plain 20 % up and down."""
    requests, hits = deployed.requests_per_user_day, rates.deployed.hit_rate
    ranges = {
        "requests_per_user_day": (requests.low, requests.high),
        "hit_rate": (hits.low, hits.high),
    }
    if isinstance(deployed.tokens, StatedTokens):
        output = deployed.tokens.output
        ranges["output_tokens"] = (output.low, output.high)
    return ranges


def _break_even(
    deployed: CostAssumptions, choice: Choice, compute: ComputePrices, users: int
) -> pd.DataFrame:
    """With the dollars that each level saves in a month, beside what it needs to pay."""
    levels = cache_levels(deployed, choice.setting, compute)
    table = break_even(levels, compute, achieved_hit_rates(choice.report))
    requests = users * deployed.requests_per_user_day.value * DAYS_PER_MONTH
    hits = [requests * _hits_per_request(choice, level) for level in levels]
    # Only answers are looked up by every request, and only their lookups cost anything.
    saved = hits * table["saving_usd_per_hit"] - requests * table["lookup_usd"]
    return table.assign(usd_saved_month=saved)


def _hits_per_request(choice: Choice, level: CacheLevel) -> float:
    """Hits at one level for each request that comes in at the front."""
    report = choice.report
    needy = report.llm_calls / report.requests + report.revalidated_rate
    return {
        "answer": report.valid_hit_rate,
        "context": needy * report.context_hit_rate,
        "embedding": report.retrievals / report.requests * report.embedding_hit_rate,
    }[level.name]
