from __future__ import annotations

import math
from pathlib import Path

import pytest

from evals.measures.judge_cache import BudgetSpent, JudgeBudget, JudgeCache, JudgeReply
from rag_core.domain import NO_USAGE, Prices, Usage
from rag_core.errors import InvalidInput

REPLY = JudgeReply('{"verdict": 1} · ü', Usage(7, 3))


def test_a_reply_comes_back_for_the_same_request_only(tmp_path: Path) -> None:
    cache = JudgeCache(tmp_path / "judge")
    cache.put({"model": "m", "prompt": "p"}, REPLY)
    assert JudgeCache(tmp_path / "judge").get({"prompt": "p", "model": "m"}) == REPLY
    assert cache.get({"model": "m", "prompt": "q"}) is None
    assert cache.get({"model": "n", "prompt": "p"}) is None


def test_a_damaged_entry_is_a_miss_and_is_written_anew(
    tmp_path: Path, subtests: pytest.Subtests
) -> None:
    for content in ["", '{"text": "cut', "[]", '{"text": "x"}', "\udcff"]:
        with subtests.test(content=content):
            cache = JudgeCache(tmp_path)
            cache.put({"prompt": "p"}, REPLY)
            [file] = tmp_path.rglob("*.json")
            file.write_text(content, errors="surrogateescape")
            assert cache.get({"prompt": "p"}) is None
            cache.put({"prompt": "p"}, REPLY)
            assert cache.get({"prompt": "p"}) == REPLY
            assert list(tmp_path.rglob("*.part")) == []


def test_a_call_that_could_cost_more_than_is_left_is_not_made() -> None:
    budget = JudgeBudget(1.0, Prices(0.1, 0.1))
    first = budget.reserve(Usage(4, 4))
    with pytest.raises(BudgetSpent, match=r"judge budget of \$1 spent"):
        budget.reserve(Usage(4, 0))
    budget.settle(first, Usage(1, 1))
    assert budget.spent_usd == pytest.approx(0.2)
    budget.settle(budget.reserve(Usage(4, 4)), NO_USAGE)
    assert budget.spent_usd == pytest.approx(0.2)


@pytest.mark.parametrize("amount", [-1.0, math.nan])
def test_a_budget_is_a_number_of_at_least_zero(amount: float) -> None:
    with pytest.raises(InvalidInput, match="--max-usd"):
        JudgeBudget(amount, Prices())
