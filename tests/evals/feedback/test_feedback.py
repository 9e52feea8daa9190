"""Feedback: how well readers are served, with an interval, and candidates for golden questions."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from evals.datasets.golden_rows import QuestionRow
from evals.feedback.candidates import write_candidates
from evals.feedback.command import rows
from evals.feedback.score import Given, scores
from rag_core.domain import Feedback, Thumb, UserId, wilson_interval


def opinion(
    user: str, thumb: Thumb, day: int = 1, question: str = "What is grace?", month: int = 6
) -> Given:
    """One of June 2026, or of another month."""
    feedback = Feedback(
        digest="0" * 64,
        question=question,
        thumb=thumb,
        note_ids=("grace", "grace", "law"),
        given_at=datetime(2026, month, day, 12, tzinfo=UTC),
    )
    return UserId(user), feedback


def test_each_period_has_its_share_of_thumbs_up_and_its_count() -> None:
    given = [opinion("a", "up", 1), opinion("b", "down", 7), opinion("a", "up", 8)]
    first, second = scores(given, "week")
    assert (first.begins, first.users, first.thumbs, first.up.value) == (
        date(2026, 6, 1),
        2,
        2,
        0.5,
    )
    assert (second.begins, second.thumbs, second.up.value) == (date(2026, 6, 8), 1, 1.0)
    assert [each.begins.day for each in scores(given, "day")] == [1, 7, 8]
    assert [each.thumbs for each in scores(given, "month")] == [3]


def test_few_thumbs_that_agree_still_have_a_wide_interval() -> None:
    (score,) = scores([opinion("a", "up"), opinion("b", "up", 2)], "month")
    assert score.up.value == 1.0
    assert score.up.low == pytest.approx(wilson_interval(1.0, 2)[0])
    assert rows([score]) == [["2026-06-01", "2", "2", "100%", "34% – 100%"]]


def test_the_interval_knows_that_one_readers_thumbs_hang_together() -> None:
    apart = [opinion(f"user-{i}", "up" if i % 2 else "down", question=f"{i}") for i in range(40)]
    hanging = [
        opinion(f"user-{i // 20}", "up" if i < 20 else "down", question=f"{i}") for i in range(40)
    ]
    (by_many,), (by_two,) = scores(apart, "month"), scores(hanging, "month")
    assert by_many.up.value == by_two.up.value == 0.5
    assert by_two.up.high - by_two.up.low > 2 * (by_many.up.high - by_many.up.low)


def test_a_candidate_is_a_golden_question_once_its_review_is_taken_out(tmp_path: Path) -> None:
    given = [
        opinion("a", "up", question="What is grace?"),
        opinion("a", "down", 2, question="what is grace?"),
        opinion("a", "up", 3, question="What is law?"),
    ]
    path = tmp_path / "new" / "candidates.jsonl"
    assert write_candidates(given, path) == 2
    bad, good = map(json.loads, path.read_text(encoding="utf-8").splitlines())
    assert (bad["question"], bad["gold"], bad["review"]["thumb"]) == ("what is grace?", [], "down")
    assert (good["question"], good["gold"]) == ("What is law?", ["grace", "law"])
    for line in (bad, good):
        del line["review"]
        assert QuestionRow(**line).user == "a"
