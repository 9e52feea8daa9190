from __future__ import annotations

import math

import pytest

from evals.datasets.golden import Passage
from evals.measures.retrieval import NAMES, collapse, ranked_passages, score_runs
from evals.measures.scores import Scored, Unscored
from evals.measures.spans import coverage, covers
from tests.evals.measures.observed import ABEL, BODIES, CAIN, GOLDEN, hit, value

ANN = [passage for passage in GOLDEN.passages.values() if passage.user == "ann"]


def test_measures_match_values_worked_out_by_hand() -> None:
    """Relevant at ranks 2 (gain 1) and 3 (gain 2) of a run, judged {a: 1, b: 2, c: 1}."""
    found = score_runs({"q": {"a": 1, "b": 2, "c": 1}}, {"q": [("x", 3.0), ("a", 2.0), ("b", 1.0)]})
    dcg = 1 / math.log2(3) + 2 / math.log2(4)
    ideal = 2 / math.log2(2) + 1 / math.log2(3) + 1 / math.log2(4)
    assert NAMES == ("nDCG@10", "R@5", "RR@10")
    assert value(found.rows["nDCG@10"]["q"]) == pytest.approx(dcg / ideal)
    assert value(found.rows["R@5"]["q"]) == pytest.approx(2 / 3)
    assert found.rows["RR@10"]["q"] == Scored(0.5)


def test_reciprocal_rank_ends_at_ten_and_recall_at_five() -> None:
    run = [(f"x{i}", float(-i)) for i in range(10)] + [("a", -10.0)]
    found = score_runs({"q": {"a": 1}}, {"q": run})
    assert found.rows["RR@10"]["q"] == Scored(0.0)
    sixth = score_runs({"q": {"a": 1}}, {"q": [*run[:5], ("a", -4.5)]})
    assert sixth.rows["R@5"]["q"] == Scored(0.0)
    assert value(sixth.rows["RR@10"]["q"]) == pytest.approx(1 / 6)


def test_a_query_answered_with_nothing_scores_zero_and_one_never_asked_has_no_score() -> None:
    qrels = {"empty": {"a": 1}, "lost": {"a": 1}, "down": {"a": 1}, "odd": {"a": 0}}
    found = score_runs(
        qrels, {"empty": [], "odd": [("a", 1.0)]}, failures={"down": "call failed: timeout"}
    )
    assert found.rows["nDCG@10"] == {
        "empty": Scored(0.0),
        "lost": Unscored("not asked"),
        "down": Unscored("call failed: timeout"),
        "odd": Unscored("no relevant document is judged"),
    }
    mean = found.aggregates["R@5"]
    assert (mean.value, mean.n, mean.unscored) == (0.0, 1, 3)


def test_equal_scores_keep_the_order_of_the_system() -> None:
    """trec_eval would put z before a."""
    found = score_runs({"q": {"a": 1}}, {"q": [("a", 1.0), ("z", 1.0)]})
    assert found.rows["RR@10"]["q"] == Scored(1.0)


def test_a_document_stands_at_the_place_of_its_best_chunk() -> None:
    assert collapse([("a", 0.5), ("b", 0.7), ("c", 0.9), ("b", 0.95)]) == ["b", "c", "a"]


def test_an_unjudged_query_is_ignored() -> None:
    assert score_runs({"q": {"a": 1}}, {"q": [], "other": [("a", 1.0)]}).rows["R@5"].keys() == {"q"}


def test_a_hit_counts_for_a_passage_from_half_of_the_shorter_on() -> None:
    passage = Passage("p", "ann", "n1", "", "", 0, 20)
    body = BODIES["ann"]["n1"]
    inside, across = hit(body[10:30]), hit(body[11:31])
    assert covers(inside, passage)
    assert not covers(across, passage)
    assert not covers(inside, Passage("p", "ann", "other", "", "", 0, 20))
    assert not covers(inside, Passage("p", "ann", "n1", "", "", 40, 60))


def test_a_hit_over_two_passages_gives_both_and_one_over_none_keeps_its_rank() -> None:
    body = BODIES["ann"]["n1"]
    stray = hit("upon mount Ararat", note="n2", position=7, score=0.5)
    strays = [passage for passage in ANN if passage.note == "n1"]
    ranked = ranked_passages([stray, hit(body, score=0.8)], strays)
    assert ranked == [("chunk n2#7", 0.0), ("p1", -1.0), ("p2", -1.0)]
    assert ranked_passages([hit(ABEL)], ANN) == [("p2", 0.0)]
    assert ranked_passages([hit(CAIN)], ANN) == [("p1", 0.0)]


def test_coverage_counts_each_character_once() -> None:
    assert coverage((10, 20), [(0, 14), (12, 16)]) == pytest.approx(0.6)
    assert coverage((10, 20), []) == 0.0
