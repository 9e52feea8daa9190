"""Sliders over what a day's cost is made of."""

from __future__ import annotations

from dataclasses import replace

import ipywidgets as widgets
from matplotlib.figure import Figure

from evals.cost.model import CostAssumptions, StatedTokens
from evals.cost.plots import cost_against_users
from evals.cost.study import DEPLOYED, TABLE, CostStudy
from evals.results.numbers import dollars
from evals.results.sliders import Live, slider
from evals.stats.intervals import Estimate
from rag_core.domain import Prices

_USERS = (100, 1_000, 10_000, 100_000)


def cost_sliders(study: CostStudy) -> Live:
    """Requests, hit rate, tokens and prices, from what is deployed and was measured."""
    base = study.deployed.factors(users=1)

    def controls() -> dict[str, widgets.ValueWidget]:
        return {
            "requests": slider("requests per user and day", base.requests_per_user_day, 1, 100, 1),
            "hit_rate": slider("hit rate", round(base.hit_rate, 2), 0, 0.99, 0.01),
            "tokens_in": slider("tokens in", round(base.input_tokens), 0, 4_000, 10),
            "tokens_out": slider("tokens out", round(base.output_tokens), 0, 1_000, 10),
            "usd_in": slider("$ per million tokens in", 1e6 * base.input_price_usd, 0, 5, 0.05),
            "usd_out": slider("$ per million tokens out", 1e6 * base.output_price_usd, 0, 15, 0.05),
        }

    def draw(*, usd_in: float, usd_out: float, **values: float) -> Figure:
        at = {name: Estimate.exact(value) for name, value in values.items()}
        supposed = replace(
            study.deployed,
            tokens=StatedTokens(input=at["tokens_in"], output=at["tokens_out"]),
            requests_per_user_day=at["requests"],
            hit_rate=at["hit_rate"],
            prices=Prices(usd_in / 1e6, usd_out / 1e6),
        )
        return _picture(study, supposed)

    return Live(controls, draw)


def _picture(study: CostStudy, supposed: CostAssumptions) -> Figure:
    cases = {
        "as set here": supposed,
        DEPLOYED: study.deployed,
        TABLE: study.cases[TABLE],
    }
    figure = cost_against_users(cases, _USERS)
    month = supposed.factors(users=1_000).usd_per_month
    figure.suptitle(f"As set here, 1,000 users cost {dollars(month)} a month")
    return figure
