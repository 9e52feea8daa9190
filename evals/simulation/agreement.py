"""The simulator's figures beside their references: closed forms, a known trace, a stopwatch."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from evals.simulation import closed_forms as theory
from evals.simulation.simulator import Policy, Setting, simulate
from evals.simulation.timeline import EvidenceModel, Timeline, prepare
from evals.simulation.traffic import DAY_S, Assumptions, Traffic, generate

REFERENCE_TRACE = Assumptions(
    users=1,
    days=1,
    requests_per_user_day=500,
    notes_per_user=1_000,
    questions_per_user=150,
    zipf_s=1.1,
    new_question_rate=0.0,
    edits_per_user_day=10,
)
"""One user's 500 requests with 10 edits, as the project's target states it (means of Poissons)."""

MILLION_REQUESTS = Assumptions(
    users=1_000, days=100, requests_per_user_day=10.1, edits_per_user_day=0.2
)

POISSON_QUESTIONS = Assumptions(
    users=50,
    days=365,
    requests_per_user_day=25,
    questions_per_user=10,
    daily_amplitude=0.0,
    new_question_rate=0.0,
    notes_per_user=20,
    edits_per_user_day=2.0,
)
POISSON_EVIDENCE = EvidenceModel(notes_per_user=20, evidence_notes=2, enter_probability=0.05)
"""A trace that meets the closed forms' assumptions, with edits often enough to matter, and long:
cut off after 60 days, a TTL of a week shows the trace's end as a staleness 1.2 points too low."""

TTL_GRID_S = tuple(hours * 3_600.0 for hours in (1, 6, 24, 72, 168))


def reference_hit_rates(seeds: int = 200) -> pd.DataFrame:
    """Valid hit rate on the reference trace, a row per policy; columns: mean, 5%, 95%."""
    rows = []
    for seed in range(seeds):
        timeline = prepare(generate(replace(REFERENCE_TRACE, seed=seed)), EvidenceModel(seed=seed))
        for policy in Policy:
            report = simulate(timeline, Setting(policy=policy))
            rows.append({"policy": policy.value, "valid_hit_rate": report.valid_hit_rate})
    grouped = pd.DataFrame(rows).groupby("policy")["valid_hit_rate"]
    return grouped.describe(percentiles=[0.05, 0.95])[["mean", "5%", "95%"]]


def closed_form_agreement(
    ttls_s: Sequence[float] = TTL_GRID_S, *, assumptions: Assumptions = POISSON_QUESTIONS
) -> pd.DataFrame:
    """Simulated and closed-form figures on a Poisson trace, a row per TTL and figure.

    Columns: ttl_s, figure, simulated, closed_form, gap.
    """
    timeline = prepare(generate(assumptions), POISSON_EVIDENCE)
    rows = [
        {"ttl_s": ttl_s, "figure": figure, "simulated": simulated, "closed_form": expected}
        for ttl_s in ttls_s
        for (figure, expected), simulated in zip(
            _expected(assumptions, ttl_s).items(), _simulated(timeline, ttl_s), strict=True
        )
    ]
    table = pd.DataFrame(rows)
    return table.assign(gap=table["simulated"] - table["closed_form"])


def _expected(a: Assumptions, ttl_s: float) -> dict[str, float]:
    """Closed forms, mixed over the questions' Zipf popularity."""
    shares = np.arange(1, a.questions_per_user + 1) ** -a.zipf_s
    rates = a.requests_per_user_day / DAY_S * shares / shares.sum()
    edits = a.edits_per_user_day / DAY_S
    changes = edits * POISSON_EVIDENCE.change_probability
    hits = theory.hit_rate(rates, ttl_s)
    return {
        "hit rate, TTL only": theory.mixture(hits, rates),
        "stale share of hits, TTL only": float(theory.stale_share_of_hits(changes, ttl_s)),
        "hit rate, flush on change": theory.mixture(
            theory.hit_rate_until_change(rates, ttl_s, edits), rates
        ),
        "hit rate, evidence revalidation": theory.mixture(
            theory.hit_rate_until_change(rates, ttl_s, changes), rates
        ),
    }


def _simulated(timeline: Timeline, ttl_s: float) -> tuple[float, float, float, float]:
    ttl_only, flush, revalidation = (
        simulate(
            timeline,
            Setting().with_values(policy=policy, answer_soft_ttl_s=ttl_s),
        )
        for policy in Policy
    )
    return (
        ttl_only.hit_rate,
        ttl_only.stale_share_of_hits,
        flush.hit_rate,
        revalidation.hit_rate,
    )


@dataclass(frozen=True, slots=True)
class Speed:
    """What one setting takes: CPU seconds, and the wall clock's, which others' work inflates."""

    requests: int
    prepare_cpu_s: float
    simulate_cpu_s: float
    wall_s: float


def measure_speed(traffic: Traffic) -> Speed:
    """Time one preparation of a trace and one simulation with the pipeline's settings."""
    wall, begun = time.perf_counter(), time.process_time()
    timeline = prepare(traffic)
    prepared = time.process_time()
    simulate(timeline, Setting(jitter=0.1))
    done = time.process_time()
    return Speed(len(traffic), prepared - begun, done - prepared, time.perf_counter() - wall)


def print_agreement() -> None:
    """Print each figure beside its reference."""
    rates = reference_hit_rates()
    references = {
        Policy.EVIDENCE_REVALIDATION: ">= 0.75",
        Policy.FLUSH_ON_CHANGE: "about 0.5",
        Policy.TTL_ONLY: "-",
    }
    print("Valid hit rate, 500 requests, 10 edits, 150 questions, Zipf 1.1 (200 seeds)")
    for policy, reference in references.items():
        mean, low, high = rates.loc[policy.value]
        print(f"  {policy:24} {mean:.3f} [{low:.3f}, {high:.3f}]   reference {reference}")
    print("\nClosed forms on a Poisson trace (reference: within 0.010)")
    print(closed_form_agreement().round(4).to_string(index=False))
    speed = measure_speed(generate(MILLION_REQUESTS))
    print(
        f"\n{speed.requests:,} requests, one setting: {speed.wall_s:.2f} s   reference <= 5 s\n"
        f"  CPU: {speed.prepare_cpu_s:.2f} s to sort, once per trace; "
        f"{speed.simulate_cpu_s:.2f} s to simulate"
    )
