"""What a cache study comes to: headline numbers, tables, a verdict, a file of settings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import pandas as pd

from evals.cache.plots import POLICY_NAMES
from evals.cache.staleness_result import (
    staleness_agreement_table,
    staleness_headlines,
    staleness_table,
    staleness_verdict,
)
from evals.cache.study import CacheStudy
from evals.results.numbers import count, duration, estimate, megabytes, number, share
from evals.results.result import Cell, Headline, NotebookResult, Picture, Table
from evals.simulation.choice import Choice
from evals.simulation.recommendation import ENVIRONMENT_NAMES, write_env
from evals.simulation.simulator import Policy
from evals.simulation.traffic import DAY_S

ENV_FILE = "recommended.env"
_WITHIN_FORM, _WITHIN_REPLAY = 0.01, 0.02
"""How far the simulator may be from the closed forms, and the real caches from the simulator."""


def cache_result(study: CacheStudy, pictures: Sequence[Picture]) -> NotebookResult:
    """The verdict, headlines, tables and settings, for the report and for the cost notebook."""
    return NotebookResult(
        title="Caches",
        verdict=verdict(study),
        n=len(study.traffic),
        headlines=headlines(study),
        pictures=tuple(pictures),
        tables=(
            _table("Deployed and recommended settings", settings_table(study)),
            _table("Policies against answer TTL", policy_table(study)),
            _table("The same requests, simulated and through the real caches", replay_table(study)),
            _table("Closed form, simulator, real caches", agreement_table(study)),
            _table("Simulated: epochs believed for a while", staleness_table(study.staleness)),
            _table(
                "Simulated: epochs believed for a while, beside the closed form",
                staleness_agreement_table(study.staleness),
            ),
        ),
        facts=_facts(study),
        data={
            "choices": {name: asdict(choice) for name, choice in _choices(study).items()},
            "staleness": {
                "simulated": asdict(study.staleness.assumptions)
                | {"deployed_s": study.staleness.deployed_s},
                "settings": study.staleness.table.to_dict("records"),
            },
        },
    )


def _facts(study: CacheStudy) -> dict[str, str]:
    setting, edits = study.deployed.setting, len(study.traffic.edit_time_s)
    return {
        "traffic": f"{study.source}: {len(study.traffic):,} requests, {edits:,} edits",
        "replayed": f"{_replayed(study):,} requests through the pipeline and a real Valkey",
        "bytes of an entry": f"answer {setting.answer_bytes:,}, embedding "
        f"{setting.embedding_bytes:,}, context {setting.context_bytes:,}; measured in the replay",
    }


def write_recommended(study: CacheStudy, out_path: Path) -> Path:
    """Write the recommended settings beside the result, for `python -m rag_core --env FILE`."""
    path = out_path.parent / ENV_FILE
    path.parent.mkdir(parents=True, exist_ok=True)
    write_env(asdict(study.recommended.setting), path)
    return path


def headlines(study: CacheStudy) -> tuple[Headline, ...]:
    """The numbers a manager asks for."""
    n = len(study.traffic)
    trusting = study.of_policy(Policy.TTL_ONLY)
    return (
        _rate("Served from the cache", study.deployed, n, "With the deployed TTLs, the"),
        _rate("Served, recommended TTLs", study.recommended, n, "With the recommended TTLs, the"),
        Headline(
            name="Answers on changed notes", value=_changed(study), n=_replayed(study),
            unit="count", better="lower", target=0, key=True,
            meaning="Replayed requests that got an answer whose notes had changed since.",
        ),
        Headline(
            name="Stale if TTLs were trusted", value=float(trusting["stale_share_of_hits"]), n=n,
            unit="share", better="lower",
            meaning="Share of cached answers that would rest on changed notes without the check.",
        ),
        *_agreement(study),
        Headline(
            name="Context cache hits", value=study.deployed.report.context_hit_rate, n=n,
            unit="share", meaning="Share of the lookups that come past the answer cache.",
        ),
        *staleness_headlines(study.staleness),
    )  # fmt: skip


def _agreement(study: CacheStudy) -> tuple[Headline, ...]:
    """How far simulator, real caches and theory are apart."""
    replayed = _replayed(study)
    return (
        Headline(
            name="Requests unlike the simulation", value=_differing(study), n=replayed,
            unit="count", better="lower", target=0, key=True,
            meaning="Replayed requests that the real caches treated otherwise than simulated.",
        ),
        Headline(
            name="Real caches against simulator", value=_replay_gap(study), n=replayed,
            unit="share", better="lower", target=_WITHIN_REPLAY,
            meaning="Largest difference of any replayed rate from the simulated one.",
        ),
        Headline(
            name="Simulator against theory", value=_form_gap(study), n=_forms(study),
            unit="share", better="lower", target=_WITHIN_FORM,
            meaning="Largest difference of a simulated rate from its closed form.",
        ),
    )  # fmt: skip


def verdict(study: CacheStudy) -> str:
    """A paragraph computed from the numbers."""
    now, best, traffic = study.deployed, study.recommended, study.traffic
    flush, trusting = study.of_policy(Policy.FLUSH_ON_CHANGE), study.of_policy(Policy.TTL_ONLY)
    agreed = (
        _differing(study) == 0 and _form_gap(study) < _WITHIN_FORM
        and _replay_gap(study) < _WITHIN_REPLAY
    )  # fmt: skip
    sentences = [
        f"Of {len(traffic):,} requests in {count(traffic.span_s / DAY_S)} days, "
        f"{estimate(now.hit_rate, 'share')} are served without an LLM call as deployed (answer TTL "
        f"{duration(now.setting.answer_soft_ttl_s)}), all of them on notes that {_stood(study)}.",
        f"At a TTL of {duration(float(trusting['answer_soft_ttl_s']))}, trusting it alone would "
        f"serve {share(trusting['stale_share_of_hits'])} of cached answers on changed notes, and "
        f"dropping a user's answers at every edit would serve {share(flush['valid_hit_rate'])} of "
        "requests.",
        f"Recommended is an answer TTL of {duration(best.setting.answer_soft_ttl_s)}: "
        f"{estimate(best.hit_rate, 'share')} at {megabytes(best.redis_bytes)} of Redis at its "
        f"peak, against {megabytes(now.redis_bytes)}. An answer's evidence is checked after every "
        f"edit, so a longer TTL costs memory, not truth.{_edge(study)}",
        f"The context cache is hit on {share(now.report.context_hit_rate)} of its lookups: the "
        "answer cache stands in front of it and takes the repeats.",
        f"Theory, simulator and real caches {'agree' if agreed else 'DO NOT AGREE'}: closed forms "
        f"within {100 * _form_gap(study):.2f} points; {_differing(study)} of "
        f"{_replayed(study):,} replayed requests end otherwise than simulated; the real caches "
        f"come within {100 * _real_form_gap(study):.1f} points of the closed form, on a sample.",
        staleness_verdict(study.staleness),
    ]
    return " ".join(sentences)


def _stood(study: CacheStudy) -> str:
    deployed_s = study.staleness.deployed_s
    return f"stood {duration(deployed_s)} ago or since" if deployed_s else "still stand"


def _edge(study: CacheStudy) -> str:
    """What to say when the best TTL is the longest one that was tried."""
    if study.recommended.setting.answer_soft_ttl_s < study.longest_ttl_s:
        return ""
    return " It is the longest that was tried; a longer one may be better still."


def settings_table(study: CacheStudy) -> pd.DataFrame:
    """The settings and what they do, a row each; columns: deployed, recommended."""
    columns = {name: _setting_column(choice) for name, choice in _choices(study).items()}
    return pd.DataFrame(columns).rename_axis("setting")


def _setting_column(choice: Choice) -> dict[str, str]:
    report = choice.report
    names = ENVIRONMENT_NAMES.items()
    return {
        **{variable: duration(getattr(choice.setting, field)) for field, variable in names},
        "served from the cache": estimate(choice.hit_rate, "share"),
        "LLM calls per 1,000 requests": number(1_000 * (1 - choice.hit_rate.value), "count"),
        "embedding cache hits": share(report.embedding_hit_rate),
        "context cache hits": share(report.context_hit_rate),
        "answers in Redis, peak": megabytes(report.answer_bytes_peak),
        "embeddings in Redis, peak": megabytes(report.embedding_bytes_peak),
    }


def policy_table(study: CacheStudy) -> pd.DataFrame:
    """A row per policy and answer TTL."""
    table = study.policies
    return pd.DataFrame(
        {
            "policy": [POLICY_NAMES[Policy(policy)] for policy in table["policy"]],
            "answer TTL": table["answer_soft_ttl_s"].map(duration),
            "hit rate": table["hit_rate"].round(4),
            "valid hit rate": table["valid_hit_rate"].round(4),
            "stale share of hits": table["stale_share_of_hits"].round(5),
            "LLM calls": table["llm_calls"],
            "answers, peak MB": (table["answer_bytes_peak"] / 1e6).round(2),
        }
    ).set_index("policy")


def replay_table(study: CacheStudy) -> pd.DataFrame:
    """What a sample of the study's traffic did in the real caches, a row per figure."""
    table = study.replay.comparison().round(4)
    return table.assign(requests=len(study.replay.outcomes)).set_index("figure")


def agreement_table(study: CacheStudy) -> pd.DataFrame:
    """A row per TTL and figure of the Poisson trace; an empty cell is not what we deploy."""
    table = study.agreement.assign(answer_ttl=study.agreement["ttl_s"].map(duration))
    columns = ["answer_ttl", "closed_form", "simulated", "gap", "replayed"]
    return table.set_index("figure")[columns].round(4)


def _rate(name: str, choice: Choice, n: int, what: str) -> Headline:
    rate = choice.hit_rate
    return Headline(
        name=name, value=rate.value, low=rate.low, high=rate.high, n=n, unit="share", key=True,
        meaning=f"{what} share of requests that needs no LLM call.",
    )  # fmt: skip


def _choices(study: CacheStudy) -> dict[str, Choice]:
    return {"deployed": study.deployed, "recommended": study.recommended}


def _replayed(study: CacheStudy) -> int:
    return sum(len(each.outcomes) for each in (study.replay, *study.replays))


def _differing(study: CacheStudy) -> int:
    return sum(each.differing for each in (study.replay, *study.replays))


def _changed(study: CacheStudy) -> int:
    return sum(each.changed_evidence for each in (study.replay, *study.replays))


def _replay_gap(study: CacheStudy) -> float:
    gaps = [each.comparison()["gap"].abs().max() for each in (study.replay, *study.replays)]
    return float(max(gaps))


def _form_gap(study: CacheStudy) -> float:
    gaps = pd.concat([study.agreement["gap"], study.staleness.agreement["gap"]])
    return float(gaps.abs().max())


def _forms(study: CacheStudy) -> int:
    return len(study.agreement) + len(study.staleness.agreement)


def _real_form_gap(study: CacheStudy) -> float:
    return float((study.agreement["replayed"] - study.agreement["closed_form"]).abs().max())


def _table(title: str, frame: pd.DataFrame) -> Table:
    flat = frame.reset_index()
    rows = [tuple(_cell(value) for value in row) for row in flat.astype(object).to_numpy()]
    return Table(title, tuple(map(str, flat.columns)), tuple(rows))


def _cell(value: object) -> Cell:
    if value is None or (isinstance(value, float) and pd.isna(value)):
        return None
    return value if isinstance(value, str | int | float) else str(value)
