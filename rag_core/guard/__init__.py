"""Keeping one part's trouble from becoming everyone's."""

from __future__ import annotations

from rag_core.guard.breaker import (
    VIEW_S,
    Breaker,
    BreakerStore,
    Held,
    MemoryBreakerStore,
    Ticket,
)
from rag_core.guard.bulkhead import Bulkhead
from rag_core.guard.circuit import BreakerRules, Circuit, Probe
from rag_core.guard.deadline import CURRENT_DEADLINE, Deadline, PatientTimeout, seconds_left
from rag_core.guard.guard import Guard
from rag_core.guard.never_open import NeverOpen
from rag_core.guard.outcome import Outcome, Through, outcome_of
from rag_core.guard.retry import Retry
from rag_core.guard.time_budget import TimeBudget, budget_left, spend

# fmt: off
__all__ = [
    "CURRENT_DEADLINE", "VIEW_S", "Breaker", "BreakerRules", "BreakerStore", "Bulkhead", "Circuit",
    "Deadline", "Guard", "Held", "MemoryBreakerStore", "NeverOpen", "Outcome", "PatientTimeout",
    "Probe", "Retry", "Through", "Ticket", "TimeBudget", "budget_left", "outcome_of",
    "seconds_left", "spend",
]
