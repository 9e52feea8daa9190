"""Whether the three ways to know agree: closed forms, simulator, replay in the real caches."""

from __future__ import annotations

import pandas as pd

from evals.cache.study import CacheStudy
from evals.results.result import Headline

WITHIN_FORM, WITHIN_REPLAY = 0.01, 0.02
"""How far the simulator may be from the closed forms, and the real caches from the simulator."""


def disagreements(study: CacheStudy) -> list[str]:
    """What does not agree, a sentence part each; nothing may be recommended then."""
    found = []
    if differing := differing_requests(study):
        found.append(f"the real caches treated {differing:,} requests otherwise than simulated")
    if replay_gap(study) >= WITHIN_REPLAY:
        found.append(f"a replayed rate is {100 * replay_gap(study):.1f} points from its simulation")
    if form_gap(study) >= WITHIN_FORM:
        found.append(f"a simulated rate is {100 * form_gap(study):.1f} points from its closed form")
    return found


def agreement_verdict(study: CacheStudy) -> str:
    """A sentence computed from the differences."""
    agreed = "DO NOT AGREE" if disagreements(study) else "agree"
    return (
        f"Theory, simulator and real caches {agreed}: closed forms within "
        f"{100 * form_gap(study):.2f} points; {differing_requests(study)} of "
        f"{replayed_requests(study):,} replayed requests end otherwise than simulated; the real "
        f"caches come within {100 * _real_form_gap(study):.1f} points of the closed form, on a "
        f"sample.{' So nothing is recommended.' if disagreements(study) else ''}"
    )


def agreement_headlines(study: CacheStudy) -> tuple[Headline, ...]:
    """How far simulator, real caches and theory are apart; measured."""
    replayed = replayed_requests(study)
    return (
        Headline(
            name="Answers on changed notes", value=_changed(study), n=replayed,
            unit="count", better="lower", target=0, key=True,
            meaning="Replayed requests that got an answer whose notes had changed since.",
        ),
        Headline(
            name="Requests unlike the simulation", value=differing_requests(study), n=replayed,
            unit="count", better="lower", target=0, key=True,
            meaning="Replayed requests that the real caches treated otherwise than simulated.",
        ),
        Headline(
            name="Real caches against simulator", value=replay_gap(study), n=replayed,
            unit="share", better="lower", target=WITHIN_REPLAY,
            meaning="Largest difference of any replayed rate from the simulated one.",
        ),
        Headline(
            name="Simulator against theory", value=form_gap(study), n=_forms(study),
            unit="share", better="lower", target=WITHIN_FORM,
            meaning="Largest difference of a simulated rate from its closed form.",
        ),
    )  # fmt: skip


def replay_table(study: CacheStudy) -> pd.DataFrame:
    """What a sample of the study's traffic did in the real caches, a row per figure."""
    table = study.replay.comparison().round(4)
    return table.assign(requests=len(study.replay.outcomes)).set_index("figure")


def replayed_requests(study: CacheStudy) -> int:
    """How many requests went through the real caches."""
    return sum(len(each.outcomes) for each in (study.replay, *study.replays))


def differing_requests(study: CacheStudy) -> int:
    """How many of them ended otherwise than simulated."""
    return sum(each.differing for each in (study.replay, *study.replays))


def replay_gap(study: CacheStudy) -> float:
    """Largest difference of a replayed rate from the simulated one."""
    gaps = [each.comparison()["gap"].abs().max() for each in (study.replay, *study.replays)]
    return float(max(gaps))


def form_gap(study: CacheStudy) -> float:
    """Largest difference of a simulated rate from its closed form."""
    gaps = pd.concat([study.agreement["gap"], study.staleness.agreement["gap"]])
    return float(gaps.abs().max())


def _changed(study: CacheStudy) -> int:
    return sum(each.changed_evidence for each in (study.replay, *study.replays))


def _forms(study: CacheStudy) -> int:
    return len(study.agreement) + len(study.staleness.agreement)


def _real_form_gap(study: CacheStudy) -> float:
    return float((study.agreement["replayed"] - study.agreement["closed_form"]).abs().max())
