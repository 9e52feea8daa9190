"""Answerability: what is seen of a question and its hits, and what the decision leaves of them."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from rag_core.domain import Chunk, Hit, Note, PipelineConfig, Ranking, hit_of
from rag_core.search import AnswerabilityModel, fitted_model, signs, usable_hits

MODEL = AnswerabilityModel({"best_cosine": 4.0, "coverage": 2.0, "absent_names": -1.0}, -2.0, "d")


def hit(text: str, score: float = 0.5, title: str = "") -> Hit:
    note = Note("n", title, text)
    return hit_of(note, Chunk("n", 0, title, "", text, 0, len(text)), score)


def test_coverage_is_the_share_of_what_is_asked_by_idf_in_the_hit_that_has_most() -> None:
    ranking = Ranking(
        (hit("Mercy rejoices."), hit("Rainbows, for once.")), rarity={"merci": 1.0, "rainbow": 3.0}
    )
    assert signs("Mercy and the rainbow?", ranking).coverage == pytest.approx(0.75)


def test_coverage_sees_the_title_and_the_leading_characters_alone() -> None:
    late = hit("Filler words here. " * 20 + "rainbow")
    rarity = {"rainbow": 2.0}
    assert signs("the rainbow", Ranking((late,), rarity=rarity)).coverage == 0.0
    titled = replace(late, title="The rainbow")
    assert signs("the rainbow", Ranking((titled,), rarity=rarity)).coverage == 1.0


def test_names_that_no_hit_speaks_of_are_counted() -> None:
    ranking = Ranking((hit("Hezekiah fell ill."), hit("Filler. " * 100 + "Isaiah came.")))
    asked = "What did Hezekiah tell Isaiah of Babylon, Sheba and Tyre?"
    assert signs(asked, ranking).absent_names == 2, "three, of which two count"
    assert signs("What did Hezekiah and Isaiah do? Nothing?", ranking).absent_names == 0


def test_nothing_found_is_the_worst_that_can_be_seen() -> None:
    seen = signs("Who was Hezekiah?", Ranking())
    assert (seen.best_cosine, seen.coverage) == (-1.0, 0.0)


def test_only_the_first_five_hits_are_looked_at() -> None:
    ranking = Ranking((*[hit("nothing")] * 5, hit("rainbow", 0.9)), rarity={"rainbow": 1.0})
    seen = signs("the rainbow", ranking)
    assert (seen.best_cosine, seen.coverage) == (0.5, 0.0)


def test_a_question_is_declined_as_a_whole_and_what_is_noise_is_left_out() -> None:
    ranking = Ranking((hit("rainbow", 0.5), hit("noise", -0.1)), rarity={"rainbow": 1.0})
    probability = MODEL.probability(signs("the rainbow", ranking))
    for least, kept in ((probability - 0.01, 1), (probability + 0.01, 0)):
        config = PipelineConfig(min_score=0.2, min_answerability=least)
        assert len(usable_hits("the rainbow", ranking, config, MODEL).hits) == kept


def test_what_words_add_to_the_cosine_counts() -> None:
    ranking = Ranking((replace(hit("rainbow", 0.1), bonus=0.1), hit("noise", 0.19)))
    config = PipelineConfig(min_score=0.2)
    assert usable_hits("the rainbow", ranking, config, None).hits == ranking.hits[:1]


def test_without_a_model_each_hits_cosine_decides() -> None:
    ranking = Ranking((hit("rainbow", 0.5), hit("noise", 0.1)))
    config = PipelineConfig(min_score=0.2, min_answerability=1.0)
    assert usable_hits("the rainbow", ranking, config, None).hits == ranking.hits[:1]


def test_the_fitted_model_speaks_for_what_is_near_and_covered_and_against_absent_names() -> None:
    weights = fitted_model().weights
    assert weights["best_cosine"] > 0
    assert weights["coverage"] >= 0
    assert weights["absent_names"] < 0
    near, far = Ranking((hit("x", 0.8),)), Ranking((hit("x", 0.1),))
    model = fitted_model()
    assert model.probability(signs("x", near)) > model.probability(signs("x", far))
