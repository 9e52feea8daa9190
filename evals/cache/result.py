"""What a cache study comes to: headline numbers, tables, a verdict, settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import pandas as pd

from evals.cache.decisions import decision_table, price_table, reason, recommendation
from evals.cache.plots import POLICY_NAMES
from evals.cache.staleness_result import (
    staleness_agreement_table,
    staleness_headlines,
    staleness_table,
    staleness_verdict,
)
from evals.cache.study import CacheStudy
from evals.cache.trust import (
    agreement_headlines,
    agreement_verdict,
    replay_table,
    replayed_requests,
)
from evals.results.numbers import duration, estimate, megabytes, number, share
from evals.results.result import Cell, Headline, NotebookResult, Picture, Table
from evals.simulation.choice import ENVIRONMENT_NAMES, Choice
from evals.simulation.plausible import ranges_table
from evals.simulation.simulator import Policy
from evals.stats.intervals import Estimate

_BANDS = "Simulated; [low, high] is the band over all plausible traffics, not an interval."


def cache_result(study: CacheStudy, pictures: Sequence[Picture]) -> NotebookResult:
    """The verdict, headlines, tables and settings, for the report and for the cost notebook."""
    staleness = study.staleness
    return NotebookResult(
        title="Caches",
        verdict=verdict(study),
        n=replayed_requests(study),
        headlines=headlines(study),
        pictures=tuple(pictures),
        tables=(
            _table("What is recommended of each TTL, and why", decision_table(study), _BANDS),
            _table("Deployed and recommended settings", settings_table(study), _BANDS),
            _table("What the weighed prices come to", price_table(study), "Simulated, as assumed."),
            _table("Edits of golden notes: what they changed", study.edits.by_kind()),
            _table("Plausible traffic", ranges_table()),
            _table("Policies against answer TTL", policy_table(study), _BANDS),
            _table("The same requests, simulated and through the real caches", replay_table(study)),
            _table("Closed form, simulator, real caches", agreement_table(study)),
            _table("Simulated: epochs believed for a while", staleness_table(staleness)),
            _table(
                "Simulated: epochs believed for a while, beside the closed form",
                staleness_agreement_table(staleness),
            ),
        ),
        facts=_facts(study),
        data={
            "amounts": _amounts(study),
            "choices": {name: asdict(choice) for name, choice in _choices(study).items()},
            "staleness": {
                "simulated": asdict(staleness.assumptions) | {"deployed_s": staleness.deployed_s},
                "settings": staleness.table.to_dict("records"),
            },
        },
        recommendation=recommendation(study),
    )


def _amounts(study: CacheStudy) -> dict[str, float]:
    """What a gate compares: of the fixed traffic, and of the requests through the real caches."""
    deployed, replay = study.deployed, study.replay
    return {
        "hit rate": deployed.hit_rate.value,
        "context hit rate": deployed.context_hit_rate.value,
        "LLM calls per 1,000 requests": 1_000 * (1 - deployed.hit_rate.value),
        "hit rate, replayed": replay.hit_rate,
        "LLM calls per 1,000 requests, replayed": 1_000 * replay.llm_calls / len(replay.outcomes),
    }


def _facts(study: CacheStudy) -> dict[str, str]:
    setting = study.deployed.setting
    return {
        "traffic": f"{study.source}; bands over {len(study.timelines)} traffics",
        "replayed": f"{replayed_requests(study):,} requests through the pipeline and a real Valkey",
        "edited": f"{len(study.edits.outcomes):,} questions asked again after an edit",
        "bytes of an entry": f"answer {setting.answer_bytes:,}, embedding "
        f"{setting.embedding_bytes:,}, context {setting.context_bytes:,}; measured in the replay",
    }


def headlines(study: CacheStudy) -> tuple[Headline, ...]:
    """The numbers a manager asks for."""
    traffics = len(study.timelines)
    trusting = study.of_policy(Policy.TTL_ONLY)
    return (
        _simulated(
            "Served from the cache", study.deployed.hit_rate, traffics, key=True,
            meaning="With the deployed TTLs, the share of requests that needs no LLM call.",
        ),
        _simulated(
            "Served, recommended TTLs", study.recommended.hit_rate, traffics,
            meaning="With the recommended TTLs, the share of requests that needs no LLM call.",
        ),
        *_edit_headlines(study),
        _simulated(
            "Stale if TTLs were trusted", _row_band(trusting, "stale_share_of_hits"), traffics,
            better_low=True,
            meaning="Share of cached answers that would rest on changed notes without the check.",
        ),
        _simulated(
            "Context cache hits", study.deployed.context_hit_rate, traffics,
            meaning="Share of the lookups that come past the answer cache.",
        ),
        *agreement_headlines(study),
        *staleness_headlines(study.staleness),
    )  # fmt: skip


def _edit_headlines(study: CacheStudy) -> tuple[Headline, ...]:
    table = study.edits.table
    touched = int(table["touched"].sum())
    touch, enter = study.evidence.touch, study.evidence.enter
    return (
        Headline(
            name="Edits that change an answer's evidence", value=touch.value, low=touch.low,
            high=touch.high, n=touched, unit="share", better="lower",
            meaning="Of edits of one sentence in a note that the answer rests on.",
        ),
        Headline(
            name="Edits elsewhere that do", value=enter.value, low=enter.low, high=enter.high,
            n=len(table) - touched, unit="share", better="lower",
            meaning="Of edits of one sentence in any other note of the user.",
        ),
    )  # fmt: skip


def _simulated(
    name: str, rate: Estimate, traffics: int, *, meaning: str, key: bool = False,
    better_low: bool = False,
) -> Headline:  # fmt: skip
    return Headline(
        name=name, value=rate.value, low=rate.low, high=rate.high, n=traffics, unit="share",
        better="lower" if better_low else "higher", key=key, simulated=True, meaning=meaning,
        group="speed and money" if key else None,
    )  # fmt: skip


def _row_band(row: pd.Series[float], name: str) -> Estimate:
    return Estimate(float(row[name]), float(row[f"{name}_low"]), float(row[f"{name}_high"]))


def verdict(study: CacheStudy) -> str:
    """A paragraph computed from the numbers."""
    now, evidence = study.deployed, study.evidence
    flush, trusting = study.of_policy(Policy.FLUSH_ON_CHANGE), study.of_policy(Policy.TTL_ONLY)
    sentences = [
        f"Measured: of edits of one sentence in a note that an answer rests on, "
        f"{estimate(evidence.touch, 'share')} change what it rests on; of edits of other notes "
        f"{estimate(evidence.enter, 'share')}.",
        f"Simulated: of requests as assumed, {share(now.hit_rate.value)} are served without an LLM "
        f"call as deployed (answer TTL {duration(now.setting.answer_soft_ttl_s)}), and from "
        f"{share(now.hit_rate.low)} to {share(now.hit_rate.high)} over {now.traffics} plausible "
        f"traffics, all of them on notes that {_stood(study)}.",
        f"At a TTL of {duration(float(trusting['answer_soft_ttl_s']))}, trusting it alone would "
        f"serve {share(trusting['stale_share_of_hits'])} of cached answers on changed notes, and "
        f"dropping a user's answers at every edit would serve {share(flush['valid_hit_rate'])} of "
        "requests, as assumed.",
        *(f"{ENVIRONMENT_NAMES[each.name]}: {_decided(study, place)}."
          for place, each in enumerate(study.decisions)),
        agreement_verdict(study),
        staleness_verdict(study.staleness),
    ]  # fmt: skip
    return " ".join(sentences)


def _decided(study: CacheStudy, place: int) -> str:
    decision = study.decisions[place]
    change = "is changed" if decision.why == "cheaper" else "keeps its default"
    return f"{change}, as {reason(decision)}"


def _stood(study: CacheStudy) -> str:
    deployed_s = study.staleness.deployed_s
    return f"stood {duration(deployed_s)} ago or since" if deployed_s else "still stand"


def settings_table(study: CacheStudy) -> pd.DataFrame:
    """The settings and what they do, a row each; columns: deployed, recommended."""
    columns = {
        name: _setting_column(choice, study.users) for name, choice in _choices(study).items()
    }
    return pd.DataFrame(columns).rename_axis("setting")


def _setting_column(choice: Choice, users: int) -> dict[str, str]:
    redis = choice.redis_bytes_per_user
    ends = [megabytes(users * each) for each in (redis.value, redis.low, redis.high)]
    return {
        **{
            variable: duration(getattr(choice.setting, field))
            for field, variable in ENVIRONMENT_NAMES.items()
        },
        "served from the cache": estimate(choice.hit_rate, "share"),
        "LLM calls per 1,000 requests": number(1_000 * (1 - choice.hit_rate.value), "count"),
        "dollars per 1,000 requests": estimate(choice.usd_per_1000, "usd"),
        "context cache hits": estimate(choice.context_hit_rate, "share"),
        f"Redis for {users:,} users, peak": f"{ends[0]} [{ends[1]}, {ends[2]}]",
    }


def policy_table(study: CacheStudy) -> pd.DataFrame:
    """A row per policy and answer TTL."""
    table = study.policies
    return pd.DataFrame(
        {
            "policy": [POLICY_NAMES[Policy(policy)] for policy in table["policy"]],
            "answer TTL": table["answer_soft_ttl_s"].map(duration),
            "valid hit rate": table["valid_hit_rate"].round(4),
            "low": table["valid_hit_rate_low"].round(4),
            "high": table["valid_hit_rate_high"].round(4),
            "stale share of hits": table["stale_share_of_hits"].round(5),
            "stale, high": table["stale_share_of_hits_high"].round(5),
            "LLM calls per 1,000": table["calls_per_1000"].round(0),
            "answers, peak MB per 1,000 users": table["mb_per_1000_users"].round(1),
        }
    ).set_index("policy")


def agreement_table(study: CacheStudy) -> pd.DataFrame:
    """A row per TTL and figure of the Poisson trace; an empty cell is not what we deploy."""
    table = study.agreement.assign(answer_ttl=study.agreement["ttl_s"].map(duration))
    columns = ["answer_ttl", "closed_form", "simulated", "gap", "replayed"]
    return table.set_index("figure")[columns].round(4)


def _choices(study: CacheStudy) -> dict[str, Choice]:
    return {"deployed": study.deployed, "recommended": study.recommended}


def _table(title: str, frame: pd.DataFrame, caption: str = "") -> Table:
    flat = frame.reset_index()
    rows = [tuple(_cell(value) for value in row) for row in flat.astype(object).to_numpy()]
    return Table(title, tuple(map(str, flat.columns)), tuple(rows), caption)


def _cell(value: object) -> Cell:
    if value is None or (isinstance(value, float) and pd.isna(value)):
        return None
    return value if isinstance(value, str | int | float) else str(value)
