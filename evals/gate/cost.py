"""Cost and caches: figures of the fixed trace, which the same code gives to the last digit."""

from __future__ import annotations

from evals.gate.finding import Finding, Status
from evals.gate.policy import AmountRule, Policy
from evals.gate.recording import Recording
from evals.results.numbers import share


def cost_findings(baseline: Recording, candidate: Recording, policy: Policy) -> list[Finding]:
    """A finding for each figure that the policy names."""
    return [_finding(rule, baseline, candidate) for rule in policy.cost]


def _finding(rule: AmountRule, baseline: Recording, candidate: Recording) -> Finding:
    before, after = (run.amounts.get(rule.amount) for run in (baseline, candidate))
    if before is None or after is None:
        name = "baseline" if before is None else "candidate"
        return _said(rule, Status.INVALID, f"the {name} has not measured it.", before, after)
    sign = 1 if rule.better == "lower" else -1
    lost, allowed = sign * (after - before), rule.margin * abs(before)
    amount = share(lost / abs(before)) if before else f"{lost:g}"
    if lost > allowed + 1e-12:
        sentence = f"worse by {amount}, and {share(rule.margin)} are allowed."
        return _said(rule, Status.REGRESSION, sentence, before, after)
    sentence = "the same." if lost == 0 else f"within {share(rule.margin)}."
    return _said(rule, Status.PASS, sentence, before, after)


def _said(
    rule: AmountRule, status: Status, sentence: str, before: float | None, after: float | None
) -> Finding:
    both = before is not None and after is not None
    return Finding(
        part="cost and caches",
        name=rule.amount,
        status=status,
        sentence=sentence,
        unit="score",
        before=before,
        after=after,
        difference=after - before if both and before is not None and after is not None else None,
        why=rule.why,
    )
