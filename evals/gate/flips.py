"""Questions that went otherwise, those that became worse first."""

from __future__ import annotations

from collections.abc import Mapping

from evals.gate.finding import Flip
from evals.gate.policy import Policy, QualityRule
from evals.gate.quality import Paired
from evals.gate.recording import Recording, Said

_NOT_KEPT = Said(question="", text="(its answer was not kept)")


def flips(baseline: Recording, candidate: Recording, policy: Policy) -> list[Flip]:
    """A flip for each question of which a gated measure changed."""
    changes: dict[tuple[str, str], list[tuple[float, str]]] = {}
    for rule in policy.quality:
        if rule.suite in baseline.suites and rule.suite in candidate.suites:
            pairs = Paired.of(rule, baseline.suites[rule.suite], candidate.suites[rule.suite])
            for question, pair in pairs.means.items():
                if pair[0] != pair[1]:
                    place = changes.setdefault((rule.suite, question), [])
                    place.append(_change(rule, pair))
    made = [
        _flip(suite, question, said, baseline.answers, candidate.answers)
        for (suite, question), said in changes.items()
    ]
    return sorted(made, key=lambda flip: (flip.amount, flip.question))


def _change(rule: QualityRule, pair: tuple[float, float]) -> tuple[float, str]:
    before, after = pair
    gain = after - before if rule.better == "higher" else before - after
    return gain, f"{rule.measure} {before:.3g} → {after:.3g}"


def _flip(
    suite: str,
    question: str,
    changes: list[tuple[float, str]],
    before: Mapping[str, Said],
    after: Mapping[str, Said],
) -> Flip:
    old, new = before.get(question), after.get(question)
    return Flip(
        question=f"{question} ({suite})",
        asked=(new or old or _NOT_KEPT).question,
        before=(old or _NOT_KEPT).text,
        after=(new or _NOT_KEPT).text,
        changes=[said for _, said in changes],
        amount=sum(gain for gain, _ in changes),
    )
