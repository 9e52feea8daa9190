"""What a gate finds of one figure, and what it makes of all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from evals.results.result import Unit

Part = Literal["run", "quality", "speed", "cost and caches"]


class Status(StrEnum):
    """What is said of one figure, or of a candidate."""

    PASS = "PASS"
    REGRESSION = "REGRESSION"
    INCONCLUSIVE = "INCONCLUSIVE"
    INVALID = "INVALID"
    INFRASTRUCTURE = "INFRASTRUCTURE"
    NOT_GATED = "NOT GATED"
    """Shown, but without a say: nobody knows yet what it is worth, or it was left out."""


EXIT_CODES: Mapping[Status, int] = {
    Status.PASS: 0,
    Status.REGRESSION: 1,
    Status.INCONCLUSIVE: 2,
    Status.INVALID: 3,
    Status.INFRASTRUCTURE: 4,
}
MISUSE = 64
"""Exit code of a wrong option or folder (EX_USAGE of sysexits.h): it must not look like a verdict.
"""

_GRAVEST = (Status.INFRASTRUCTURE, Status.INVALID, Status.REGRESSION, Status.INCONCLUSIVE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One figure in both; `before`, `after` and `difference` are in `unit`.

    `difference` is after - before, and `low` to `high` what it may be, at 95 %; where `high` is
    None, it is bounded on the bad side alone. `detectable` is the smallest change for the worse
    that `n` questions show, in `unit`. `p` is a probability, adjusted for all tests.
    """

    part: Part
    name: str
    status: Status
    sentence: str
    unit: Unit = "share"
    before: float | None = None
    after: float | None = None
    difference: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    detectable: float | None = None
    n: int = 0
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Flip:
    """A question that went otherwise, in words, with both answers where they were kept."""

    question: str
    asked: str
    before: str
    after: str
    changes: Sequence[str]
    """A measure's name and its two scores, each."""
    amount: float
    """Sum of the changes of the scores, each in its measure's unit; below 0 for the worse."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """Every finding, and the gravest of them."""

    baseline: str
    candidate: str
    findings: Sequence[Finding]
    flips: Sequence[Flip] = ()
    facts: Mapping[str, str] = field(default_factory=dict)

    @property
    def status(self) -> Status:
        """INVALID before all: where figures cannot be believed, none of them is a regression."""
        found = {finding.status for finding in self.findings}
        gating = found - {Status.NOT_GATED}
        return next((s for s in _GRAVEST if s in found), Status.PASS if gating else Status.INVALID)

    @property
    def exit_code(self) -> int:
        """0 pass, 1 regression, 2 inconclusive, 3 invalid, 4 infrastructure."""
        return EXIT_CODES[self.status]

    def of(self, *statuses: Status) -> list[Finding]:
        """The findings of these statuses."""
        return [finding for finding in self.findings if finding.status in statuses]
