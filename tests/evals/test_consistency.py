"""The caches never serve changed evidence, and the trial that says so would notice if they did.

CI runs a short trial; `python -m evals.consistency --steps 100000` a long one.
"""

from __future__ import annotations

import pytest

from evals.consistency import Broken, try_to_break
from rag_core.answer import Provenance


def test_no_answer_rests_on_changed_evidence_or_on_another_users_notes() -> None:
    outcome = try_to_break(steps=4_000, seed=20)
    assert (outcome.changed_evidence, outcome.other_user) == (0, 0), outcome.examples
    # The trial must have tried: every way of answering, and every kind of trouble.
    ways = {Provenance.FRESH, Provenance.CACHED, Provenance.REVALIDATED, Provenance.NO_CONTEXT}
    assert ways <= set(outcome.provenances)
    assert {"edit", "delete", "evict", "crash", "wait", "snapshot", "restart"} <= set(
        outcome.events
    )


@pytest.mark.parametrize("broken", ["epoch check", "announcement"])
def test_a_broken_rule_is_noticed(broken: Broken) -> None:
    outcome = try_to_break(steps=800, seed=20, broken=broken)
    assert outcome.changed_evidence > 0
