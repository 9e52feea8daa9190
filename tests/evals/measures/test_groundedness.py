from __future__ import annotations

import pytest

from evals.measures.claims import Claim, sentence_units
from evals.measures.groundedness import groundedness, support_of, supports_of
from evals.measures.scores import Scored, Unscored
from evals.measures.vectors import Vectors
from rag_core.adapters.embedders import HashingEmbedder
from tests.evals.measures.observed import ABEL, CAIN, NOTHING_FOUND, answer, cite, failed, seen

ONE, TWO = cite(1, CAIN), cite(2, ABEL)


@pytest.fixture
def vectors() -> Vectors:
    return Vectors(HashingEmbedder())


async def test_sentences_quoted_from_what_they_cite_are_grounded(vectors: Vectors) -> None:
    text = "Cain showed a proud heart [1]. “Abel offered in faith, and Cain did not.” [2]"
    assert await groundedness(seen(answer(text, ONE, TWO)), vectors) == Scored(1.0)


async def test_a_sentence_that_cites_nothing_is_not_grounded_even_if_true(vectors: Vectors) -> None:
    text = "Cain showed a proud heart. Abel offered in faith [2]."
    observed = seen(answer(text, ONE, TWO))
    assert await groundedness(observed, vectors) == Scored(0.5)
    whys = [support_of.why for support_of in await supports_of(observed, vectors)]
    assert whys == ["cites nothing", "quoted word for word"]


async def test_a_sentence_is_held_against_what_it_cites_not_against_all_notes(
    vectors: Vectors,
) -> None:
    text = "Cain showed a proud heart [2]."
    assert await groundedness(seen(answer(text, ONE, TWO)), vectors) == Scored(0.0)


async def test_a_paraphrase_is_grounded_by_a_sentence_or_a_pair_of_them(vectors: Vectors) -> None:
    near = await support_of(Claim("A proud heart Cain showed.", (ONE,)), vectors)
    pair = await support_of(
        Claim("Cain showed a proud heart; he and his offering therefore were rejected.", (ONE,)),
        vectors,
    )
    far = await support_of(Claim("The weather was fine that day.", (ONE,)), vectors)
    assert (near.supported, pair.supported, far.supported) == (True, True, False)
    assert far.why.startswith("cosine")


async def test_a_wrong_number_or_name_unsupports_the_closest_paraphrase(vectors: Vectors) -> None:
    right = await support_of(Claim("Near Eden he kept 40 sheep.", (TWO,)), vectors)
    number = await support_of(Claim("Near Eden he kept 50 sheep.", (TWO,)), vectors)
    name = await support_of(Claim("He kept 40 sheep near Sodom.", (TWO,)), vectors)
    assert right.supported
    assert (number.supported, number.why) == (False, "not in what is cited: 50")
    assert (name.supported, name.why) == (False, "not in what is cited: Sodom")


async def test_a_name_from_the_title_of_the_cited_note_agrees(vectors: Vectors) -> None:
    found = await support_of(Claim("Cain showed, in Genesis 4, a proud heart.", (ONE,)), vectors)
    assert found.supported


async def test_failed_and_declining_answers_have_no_groundedness(vectors: Vectors) -> None:
    assert await groundedness(failed(), vectors) == Unscored("call failed: ProviderTimeout")
    declining = await groundedness(seen(NOTHING_FOUND), vectors)
    assert declining == Unscored("the answer declines, so it claims nothing")
    assert await groundedness(seen("[1]"), vectors) == Unscored("the answer has no sentence")
    assert await supports_of(failed(), vectors) == ()


def test_units_are_sentences_and_adjacent_pairs() -> None:
    assert sentence_units("A b. C d. E f.") == ["A b.", "C d.", "E f.", "A b. C d.", "C d. E f."]
