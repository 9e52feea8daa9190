"""Keeping one part's trouble from becoming everyone's."""

from __future__ import annotations

from rag_core.guard.deadline import CURRENT_DEADLINE, Deadline, PatientTimeout, seconds_left
from rag_core.guard.time_budget import TimeBudget, budget_left, spend

# fmt: off
__all__ = [
    "CURRENT_DEADLINE", "Deadline", "PatientTimeout", "TimeBudget", "budget_left", "seconds_left",
    "spend",
]
