"""Pictures of a cache study, saved beside its result."""

from __future__ import annotations

from pathlib import Path

from evals.cache.plots import (
    closed_form_agreement,
    hit_rates_against_ttl,
    load_against_ttl,
    reads_saved_against_late,
)
from evals.cache.study import CacheStudy
from evals.results.pictures import save
from evals.results.result import Picture


def draw_hit_rates(study: CacheStudy, out_path: Path) -> Picture:
    """What is served from the cache, and whether rightly, against the answer TTL."""
    caption = (
        "Lines: traffic as assumed. Shaded: from the lowest to the highest over all plausible "
        "traffics, for the policy that the pipeline follows; right, for TTL only. Left "
        "and middle: higher is better. Right: lower is better; only a cache that "
        "trusts its TTL alone serves answers whose notes have changed."
    )
    title = "What does the answer TTL buy, and what does it risk?"
    return save(hit_rates_against_ttl(study.policies), out_path, "hits", title, caption)


def draw_load(study: CacheStudy, out_path: Path) -> Picture:
    """LLM calls and memory against the answer TTL."""
    caption = (
        f"Memory at {study.deployed.setting.answer_bytes:,} bytes an answer, as measured on a real "
        "Valkey. Answers stay until the hard TTL, always as long after the soft one. Shaded: "
        "all plausible traffics, for the policy that the pipeline follows."
    )
    title = "LLM calls and memory"
    return save(load_against_ttl(study.policies), out_path, "load", title, caption)


def draw_staleness(study: CacheStudy, out_path: Path) -> Picture:
    """Reads of Postgres saved against answers late."""
    caption = (
        "Simulated, not measured: requests fall on the processes at random, and nobody asks sooner "
        "after an edit than at other times. People who ask about what they have just changed come "
        "nearer to the dotted lines."
    )
    title = "What would it save to believe an epoch for a while, and what would be late?"
    figure = reads_saved_against_late(study.staleness.table, study.staleness.deployed_s)
    return save(figure, out_path, "staleness", title, caption)


def draw_agreement(study: CacheStudy, out_path: Path) -> Picture:
    """Closed form, simulator and real caches."""
    requests = len(study.replays[0].outcomes)
    caption = (
        f"Poisson traffic, which the formulas describe. Crosses: {requests:,} of its requests, "
        "answered by the real pipeline through a real Valkey, which follows the last policy only."
    )
    title = "Do theory, simulator and the real caches agree?"
    return save(closed_form_agreement(study.agreement), out_path, "agreement", title, caption)
