"""The caches never serve changed evidence, and the trial that says so would notice if they did.

CI runs a short trial; `python -m evals consistency --steps 100000` a long one.
"""

from __future__ import annotations

import pytest

from evals.consistency.command import run_trial
from evals.consistency.faults import Fault
from evals.consistency.trial import try_to_break
from rag_core.domain import Provenance
from rag_core.embedded import StackUrls


async def test_no_answer_rests_on_changed_evidence_or_on_another_users_notes(
    stack: StackUrls,
) -> None:
    result = await try_to_break(stack.database_url, steps=2_000, seed=20)
    assert result.wrong == 0, result.examples
    # The trial must have tried: ways of answering, and kinds of trouble.
    ways = {Provenance.FRESH, Provenance.CACHED, Provenance.REVALIDATED, Provenance.NO_CONTEXT}
    assert ways <= set(result.provenances)
    assert {
        "edit", "import_files", "sql", "delete", "crash", "end_session", "cut", "fail_over", "move",
    } <= set(result.events)  # fmt: skip


@pytest.mark.parametrize("fault", [fault for fault in Fault if fault is not Fault.NONE])
async def test_a_broken_rule_is_found(stack: StackUrls, fault: Fault) -> None:
    result = await try_to_break(stack.database_url, steps=30_000, seed=3, fault=fault)
    assert result.wrong > 0


def test_a_trial_that_tried_too_little_does_not_pass(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_trial(steps=30, seed=1) == 3
    assert "never happened: CACHED" in capsys.readouterr().out
