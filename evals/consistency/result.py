"""What a trial saw: what happened how often, and every answer that was wrong."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from rag_core.domain import Provenance

SERVED = (Provenance.CACHED, Provenance.REVALIDATED, Provenance.STALE)
"""Answers that came without generating."""

EXAMPLES = 5
"""Wrong answers that are shown; chosen."""


@dataclass(slots=True)
class TrialResult:
    """How often what happened in one trial."""

    steps: int = 0
    changed_evidence: int = 0
    """Number of answers resting on what the notes said at no moment of the request."""
    other_user: int = 0
    """Number of answers that mention a note of someone else."""
    impossible: int = 0
    """Number of notes that say, in the database itself, what they must not: an edit was undone."""
    provenances: Counter[str] = field(default_factory=Counter)
    late: Counter[str] = field(default_factory=Counter)
    """Answers of workers that may be late by some seconds."""
    unavailable: Counter[str] = field(default_factory=Counter)
    """Requests that failed, by error."""
    events: Counter[str] = field(default_factory=Counter)
    """What was done, and what came of it; 0 for what never was."""
    examples: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def wrong(self) -> int:
        """Number of all things that must not happen."""
        return self.changed_evidence + self.other_user + self.impossible

    @property
    def served(self) -> int:
        """Number of answers that came without generating."""
        return sum(self.provenances[provenance] for provenance in SERVED)

    def explain(self, example: str) -> None:
        """Keep the first examples of what was wrong."""
        if len(self.examples) < EXAMPLES:
            self.examples.append(f"step {self.steps}: {example}")

    def untried(self) -> list[str]:
        """Ways of answering and events that did not occur once."""
        ways = (*SERVED, Provenance.FRESH, Provenance.NO_CONTEXT)
        never = [str(way) for way in ways if not self.provenances[way]]
        return never + [event for event, times in self.events.items() if not times]
