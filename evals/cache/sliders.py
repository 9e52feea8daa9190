"""Sliders over the traffic's assumptions and the answer TTL."""

from __future__ import annotations

from dataclasses import replace

import ipywidgets as widgets
from matplotlib.figure import Figure

from evals.cache.plots import hit_rates_against_ttl
from evals.results.numbers import count, duration, megabytes, share
from evals.results.plot_style import GREY
from evals.results.sliders import Live, choice, slider, whole_slider
from evals.simulation.plausible import MeasuredEvidence
from evals.simulation.simulator import Policy, Setting, sweep
from evals.simulation.traffic import DAY_S, Assumptions, generate

_TTLS_S = tuple(days * DAY_S for days in (1 / 24, 0.25, 0.5, 1, 3, 7, 14, 28))
_MOST_USERS = 500
"""More make the picture wait, and change no rate."""


def cache_sliders(assumptions: Assumptions, deployed: Setting, evidence: MeasuredEvidence) -> Live:
    """Answer TTL, users, edits and popularity; everything else is as assumed and deployed."""
    ttl_s = min(_TTLS_S, key=lambda each: abs(each - deployed.answer_soft_ttl_s))

    def controls() -> dict[str, widgets.ValueWidget]:
        return {
            "answer_ttl_s": choice("answer TTL", ttl_s, {duration(each): each for each in _TTLS_S}),
            "users": whole_slider("users", min(assumptions.users, _MOST_USERS), 1, _MOST_USERS),
            "requests": slider(
                "requests per user and day", assumptions.requests_per_user_day, 1, 100, 1
            ),
            "edits": slider("edits per user and day", assumptions.edits_per_user_day, 0, 20, 0.1),
            "zipf_s": slider("Zipf exponent of the questions", assumptions.zipf_s, 0, 2, 0.05),
            "new": slider("share of new questions", assumptions.new_question_rate, 0, 1, 0.05),
        }

    def draw(
        *, answer_ttl_s: float, users: int, requests: float, edits: float, zipf_s: float, new: float
    ) -> Figure:
        supposed = replace(
            assumptions,
            users=users,
            days=min(assumptions.days, 28.0),
            requests_per_user_day=requests,
            edits_per_user_day=edits,
            zipf_s=zipf_s,
            new_question_rate=new,
        )
        return _picture(supposed, deployed, evidence, answer_ttl_s)

    return Live(controls, draw)


def _picture(
    supposed: Assumptions, deployed: Setting, evidence: MeasuredEvidence, answer_ttl_s: float
) -> Figure:
    table = sweep(
        generate(supposed),
        {"policy": list(Policy), "answer_soft_ttl_s": _TTLS_S},
        model=evidence.model(supposed),
        base=deployed,
    )
    figure = hit_rates_against_ttl(table)
    for axes in figure.axes:
        axes.axvline(answer_ttl_s, color=GREY, linewidth=1)
    chosen = table[
        (table["policy"] == Policy.EVIDENCE_REVALIDATION)
        & (table["answer_soft_ttl_s"] == answer_ttl_s)
    ].iloc[0]
    figure.suptitle(
        f"{duration(answer_ttl_s)}: {share(chosen['valid_hit_rate'])} served from the cache, "
        f"{count(chosen['llm_calls'] / supposed.days)} LLM calls a day, "
        f"{megabytes(chosen['answer_bytes_peak'])} of answers"
    )
    return figure
