"""Quality: a measure of the same questions in both, the question as the unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from evals.gate.finding import Finding, Status
from evals.gate.policy import Policy, QualityRule
from evals.gate.recording import Recording, Repeats, Suite
from evals.results.numbers import points, share
from evals.stats.clustered import Clustered
from evals.stats.drop import drop_p, holm, lower_bound, smallest_detectable

ROUNDING = 1e-5
"""Scores no further apart are the same: a baseline keeps six decimals, and a text's vector differs
in its last digits with the texts that were in its batch."""

NAMED = 3
"""Questions that a sentence names: the report has all."""


@dataclass(frozen=True)
class Paired:
    """One measure in both, over the questions whose rows are the same."""

    rule: QualityRule
    before: Mapping[str, Repeats]
    after: Mapping[str, Repeats]
    groups: Mapping[str, str]

    @classmethod
    def of(cls, rule: QualityRule, baseline: Suite, candidate: Suite) -> Paired:
        """Questions that were edited, added or taken out are left aside."""
        asked = baseline.scores.get(rule.measure, {})
        kept = [question for question in asked if same(question, baseline, candidate)]
        answered = candidate.scores.get(rule.measure, {})
        return cls(
            rule,
            {question: asked[question] for question in kept},
            {question: answered.get(question, (None,)) for question in kept},
            baseline.groups,
        )

    @property
    def scored(self) -> float:
        """The smaller of both shares of scores that are there."""
        return min(_scored(self.before), _scored(self.after))

    @cached_property
    def means(self) -> Mapping[str, tuple[float, float]]:
        """Of each question that both scored: its repeats' mean in the two."""
        pairs = {q: (_mean(self.before[q]), _mean(self.after[q])) for q in self.before}
        both = {q: (a, b) for q, (a, b) in pairs.items() if a is not None and b is not None}
        return {q: (a, a if abs(b - a) <= ROUNDING else b) for q, (a, b) in both.items()}

    @cached_property
    def gains(self) -> Clustered:
        """By question, the difference that is above 0 where the candidate is better."""
        sign = 1 if self.rule.better == "higher" else -1
        gains = {q: sign * (after - before) for q, (before, after) in self.means.items()}
        return Clustered.of(gains, self.groups)

    @property
    def worse(self) -> list[str]:
        """The questions that went worse."""
        sign = 1 if self.rule.better == "higher" else -1
        return [q for q, (before, after) in self.means.items() if sign * (after - before) < 0]

    def broken(self, repeats: int) -> list[str]:
        """Questions that passed in every run, `repeats` or more, and now in none."""
        good, bad = (1.0, 0.0) if self.rule.better == "higher" else (0.0, 1.0)
        return [
            question
            for question, before in self.before.items()
            if _all(before, good, repeats) and _all(self.after[question], bad, repeats)
        ]


def same(question: str, baseline: Suite, candidate: Suite) -> bool:
    """Whether it is the same question of the same notes in both."""
    return baseline.hashes.get(question, "") == candidate.hashes.get(question)


def quality_findings(
    baseline: Recording, candidate: Recording, policy: Policy, *, seed: int = 0
) -> list[Finding]:
    """A finding for each rule; the p-values are Holm's over all that are tested."""
    made = [_finding(rule, baseline, candidate, policy, seed) for rule in policy.quality]
    tested = [place for place, finding in enumerate(made) if finding.p is not None]
    adjusted = holm([p for finding in made if (p := finding.p) is not None])
    for place, p in zip(tested, adjusted, strict=True):
        made[place] = _decided(replace(made[place], p=p), policy.quality[place], policy)
    return [
        _believed(found, rule, baseline, candidate)
        for found, rule in zip(made, policy.quality, strict=True)
    ]


def _finding(
    rule: QualityRule, baseline: Recording, candidate: Recording, policy: Policy, seed: int
) -> Finding:
    """Still without a decision where it was tested."""
    if problem := _missing(rule, baseline, candidate):
        return _said(rule, Status.INVALID, problem)
    pairs = Paired.of(rule, baseline.suites[rule.suite], candidate.suites[rule.suite])
    if not pairs.means:
        return _said(rule, Status.INVALID, "no question was scored in both.")
    figures = _figures(pairs)
    if not rule.sparse and pairs.scored < policy.scored:
        least = share(policy.scored)
        sentence = f"only {share(pairs.scored)} of the scores are there, {least} are needed."
        return _said(rule, Status.INVALID, sentence, **figures)
    if _doubt(rule, baseline) and (doubt := _doubt(rule, candidate, baseline)):
        return _said(rule, Status.NOT_GATED, f"does not gate: {doubt}", **figures)
    if rule.never_worse:
        return _never_worse(rule, pairs, figures)
    if broken := pairs.broken(policy.hard_break_repeats):
        sentence = f"always passed, and now always fails: {_named(broken)}."
        return _said(rule, Status.REGRESSION, sentence, **figures)
    return _tested(rule, pairs, figures, policy, seed)


def _missing(rule: QualityRule, baseline: Recording, candidate: Recording) -> str:
    """Why there is nothing to compare; empty where there is."""
    for name, recording in (("baseline", baseline), ("candidate", candidate)):
        suite = recording.suites.get(rule.suite)
        if suite is None or not suite.scores.get(rule.measure):
            return f"the {name} has not measured it."
    return ""


def _doubt(rule: QualityRule, *recordings: Recording) -> str:
    """Why nobody knows what the measure is worth, by the first card; empty where it is enough."""
    if rule.card is None:
        return ""
    cards = (card for each in recordings if (card := each.cards.get(rule.measure)))
    card = next(cards, None)
    if card is None or card.noticed is None or card.rejected is None:
        return "no planted answers say what this measure notices."
    if card.noticed < rule.card.noticed or card.rejected > rule.card.rejected:
        return (
            f"it notices {share(card.noticed)} of planted faults and rejects "
            f"{share(card.rejected)} of right answers."
        )
    return ""


def _believed(
    found: Finding, rule: QualityRule, baseline: Recording, candidate: Recording
) -> Finding:
    """A measure that gated before gates still, but what passes must be able to fail: a candidate
    does not free itself of a measure by spoiling the answers that it is tried on."""
    if found.status is Status.PASS and (doubt := _doubt(rule, candidate, baseline)):
        sentence = f"passes, which says little: {doubt} It gated before."
        return replace(found, status=Status.INCONCLUSIVE, sentence=sentence)
    return found


def _never_worse(rule: QualityRule, pairs: Paired, figures: Mapping[str, Any]) -> Finding:
    if pairs.worse:
        sentence = f"may never become worse, and did: {_named(pairs.worse)}."
        return _said(rule, Status.REGRESSION, sentence, **figures)
    return _said(rule, Status.PASS, "no question is worse.", **figures)


def _tested(
    rule: QualityRule, pairs: Paired, figures: Mapping[str, Any], policy: Policy, seed: int
) -> Finding:
    gains = pairs.gains
    sign = 1 if rule.better == "higher" else -1
    return _said(
        rule,
        Status.INCONCLUSIVE,
        "",
        **figures,
        low=sign * lower_bound(gains),
        p=drop_p(gains, seed=seed),
        detectable=smallest_detectable(gains, alpha=policy.alpha, power=policy.power),
    )


def _decided(found: Finding, rule: QualityRule, policy: Policy) -> Finding:
    sign = 1 if rule.better == "higher" else -1
    drop, worst = -sign * (found.difference or 0.0), -sign * (found.low or 0.0)
    p, seen = found.p or 0.0, found.detectable or 0.0
    if p <= policy.alpha and drop >= rule.matters:
        sentence = f"worse by {points(drop)}, and not by luck (p = {p:.2g})."
        return replace(found, status=Status.REGRESSION, sentence=sentence)
    if worst < rule.margin:
        sentence = f"worse by {points(max(worst, 0))} at most; {points(rule.margin)} are ruled out."
        return replace(found, status=Status.PASS, sentence=sentence)
    sentence = (
        f"too small to tell: a drop of {points(rule.margin)} is not ruled out, and only one of "
        f"{points(seen)} would show. Ask more questions, or each more often."
    )
    return replace(found, status=Status.INCONCLUSIVE, sentence=sentence)


def _figures(pairs: Paired) -> dict[str, Any]:
    before, after = (
        sum(pair[side] for pair in pairs.means.values()) / len(pairs.means) for side in (0, 1)
    )
    return {"before": before, "after": after, "difference": after - before, "n": len(pairs.means)}


def _said(rule: QualityRule, status: Status, sentence: str, **figures: Any) -> Finding:
    return Finding(
        part="quality",
        name=rule.name,
        status=status,
        sentence=sentence,
        unit=rule.unit,
        why=rule.why,
        **figures,
    )


def _named(questions: Sequence[str]) -> str:
    more = len(questions) - NAMED
    return ", ".join(questions[:NAMED]) + (f" and {more} more" if more > 0 else "")


def _scored(rows: Mapping[str, Repeats]) -> float:
    values = [value for repeats in rows.values() for value in repeats]
    return sum(value is not None for value in values) / len(values) if values else 0.0


def _mean(repeats: Repeats) -> float | None:
    known = [value for value in repeats if value is not None]
    return sum(known) / len(known) if known else None


def _all(repeats: Repeats, value: float, least: int) -> bool:
    return len(repeats) >= least and all(each == value for each in repeats)
