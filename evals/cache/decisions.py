"""What was decided of each TTL, in words, and as settings for the app."""

from __future__ import annotations

from dataclasses import asdict

import pandas as pd

from evals.cache.study import CacheStudy
from evals.cache.trust import disagreements
from evals.results.numbers import dollars, duration
from evals.results.recommendation import Recommendation
from evals.simulation.choice import ENVIRONMENT_NAMES, Decision
from evals.simulation.prices import Objective
from evals.simulation.simulator import Setting
from evals.stats.intervals import Estimate

_PARTS = {
    "LLM answers": "llm_usd",
    "processor time": "work_usd",
    "memory held": "memory_usd",
    "old answers": "old_usd",
}


def reason(decision: Decision) -> str:
    """Why a TTL is changed or kept, with what the best of the tried would save."""
    best = duration(decision.best)
    saves = f"{best} instead would save {saving(decision.saving_usd)} per 1,000 requests"
    match decision.why:
        case "cheaper":
            return f"{best} saves {saving(decision.saving_usd)} per 1,000 requests"
        case "edge":
            end = "longest" if decision.best == decision.tried[-1] else "shortest"
            further = "longer" if end == "longest" else "shorter"
            return (
                f"the best of the tried, {best}, is the {end} tried; nothing says that "
                f"{further} is not better"
            )
        case "unsure":
            return f"{saves}: not in every plausible traffic"
        case "no matter":
            return f"it does not matter: {saves}, of {dollars(decision.default_usd)}"
        case "too large":
            return f"{best} is cheaper, but takes more memory than allowed"
        case "default":
            return "it is the cheapest of the tried"


def saving(usd: Estimate) -> str:
    """Dollars with their band: `$0.09 [-$0.01, $0.12]`."""
    value, low, high = (_signed(each) for each in (usd.value, usd.low, usd.high))
    return f"{value} [{low}, {high}]"


def _signed(usd: float) -> str:
    return f"-{dollars(-usd)}" if usd < 0 else dollars(usd)


def decision_table(study: CacheStudy) -> pd.DataFrame:
    """A row per TTL: what was tried, what would be saved, and what is recommended, and why."""
    rows = [
        {
            "setting": ENVIRONMENT_NAMES[each.name],
            "tried": ", ".join(duration(value) for value in each.tried),
            "deployed": duration(each.default),
            "cheapest": duration(each.best),
            "saves per 1,000 requests": saving(each.saving_usd),
            "recommended": duration(each.chosen),
            "why": reason(each),
        }
        for each in study.decisions
    ]
    return pd.DataFrame(rows).set_index("setting")


def price_table(study: CacheStudy) -> pd.DataFrame:
    """What 1,000 requests cost on the traffic as assumed, a row per part.

    Columns: deployed, recommended; in dollars.
    """
    columns = {}
    for name, choice in (("deployed", study.deployed), ("recommended", study.recommended)):
        columns[name] = {part: getattr(choice.cost, field) for part, field in _PARTS.items()}
        columns[name]["all"] = choice.cost.total_usd
    return pd.DataFrame(columns).rename_axis("dollars per 1,000 requests")


def objective_text(objective: Objective) -> str:
    """The prices that were weighed, in one line."""
    return (
        f"least dollars, with {dollars(objective.llm_answer_usd)} an LLM answer, "
        f"{dollars(objective.compute.memory_usd_per_gb_month)} a GB of memory and month, "
        f"{dollars(objective.compute.cpu_usd_per_hour)} an hour of processor, and "
        f"{dollars(objective.old_answer_usd)} an answer older than "
        f"{duration(objective.old_after_s)}; generation out for {objective.outage_share:.1%} of "
        "the time; changed only where that is cheaper in every plausible traffic, and by "
        f"{objective.worth:.1%} or more as assumed"
    )


def recommendation(study: CacheStudy) -> Recommendation:
    """Lines for `recommended.env`; withheld where the three ways to know disagree."""
    setting = study.recommended.setting
    changed = [each for each in study.decisions if each.why == "cheaper"]
    settings = {ENVIRONMENT_NAMES[each.name]: _seconds(setting, each.name) for each in changed}
    if "RAG_ANSWER_SOFT_TTL_S" in settings:
        settings["RAG_ANSWER_HARD_TTL_S"] = _seconds(setting, "answer_hard_ttl_s")
    return Recommendation(
        objective=objective_text(study.objective),
        settings=settings,
        kept={
            ENVIRONMENT_NAMES[each.name]: reason(each)
            for each in study.decisions
            if each.why != "cheaper"
        },
        withheld=" and ".join(disagreements(study)),
    )


def _seconds(setting: Setting, name: str) -> str:
    return str(round(float(asdict(setting)[name])))
