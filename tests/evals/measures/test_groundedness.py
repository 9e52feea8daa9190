from __future__ import annotations

import pytest

from evals.measures.claims import Claim
from evals.measures.groundedness import groundedness, quoted, support_of, supports_of
from evals.measures.scores import Scored, Unscored
from evals.measures.support import LightChecker
from evals.measures.vectors import Vectors
from rag_core.adapters.embedders import HashingEmbedder
from tests.evals.light_checks import light_checker
from tests.evals.measures.observed import ABEL, CAIN, NOTHING_FOUND, answer, cite, failed, seen

ONE, TWO = cite(1, CAIN), cite(2, ABEL)


@pytest.fixture
def checker() -> LightChecker:
    return light_checker(Vectors(HashingEmbedder()))


async def test_sentences_quoted_from_what_they_cite_are_grounded(checker: LightChecker) -> None:
    text = "Cain showed a proud heart [1]. “Abel offered in faith, and Cain did not.” [2]"
    assert await groundedness(seen(answer(text, ONE, TWO)), checker) == Scored(1.0)


async def test_a_sentence_that_cites_nothing_is_not_grounded_even_if_true(
    checker: LightChecker,
) -> None:
    text = "Cain showed a proud heart. Abel offered in faith [2]."
    observed = seen(answer(text, ONE, TWO))
    assert await groundedness(observed, checker) == Scored(0.5)
    whys = [support_of.why for support_of in await supports_of(observed, checker)]
    assert whys == ["cites nothing", "quoted word for word"]


async def test_a_sentence_is_held_against_what_it_cites_not_against_all_notes(
    checker: LightChecker,
) -> None:
    text = "Cain showed a proud heart [2]."
    assert await groundedness(seen(answer(text, ONE, TWO)), checker) == Scored(0.0)


async def test_a_paraphrase_is_grounded_by_a_sentence_or_a_pair_of_them(
    checker: LightChecker,
) -> None:
    near = await support_of(Claim("A proud heart Cain showed.", (ONE,)), checker)
    pair = await support_of(
        Claim("Cain showed a proud heart; he and his offering therefore were rejected.", (ONE,)),
        checker,
    )
    far = await support_of(Claim("The weather was fine that day.", (ONE,)), checker)
    assert (near.supported, pair.supported, far.supported) == (True, True, False)
    assert far.why.startswith("light check")


async def test_a_wrong_number_or_name_unsupports_the_closest_paraphrase(
    checker: LightChecker,
) -> None:
    right = await support_of(Claim("Near Eden he kept 40 sheep.", (TWO,)), checker)
    number = await support_of(Claim("Near Eden he kept 50 sheep.", (TWO,)), checker)
    name = await support_of(Claim("He kept 40 sheep near Sodom.", (TWO,)), checker)
    assert right.supported
    assert (number.supported, name.supported) == (False, False)


async def test_the_contrary_of_what_is_cited_is_not_grounded(checker: LightChecker) -> None:
    contrary = await support_of(Claim("Cain did not show a proud heart.", (ONE,)), checker)
    assert not contrary.supported


def test_a_sentence_is_quoted_when_a_chunk_that_it_cites_has_it_word_for_word() -> None:
    text = "Cain showed a proud heart [1]. A proud heart Cain showed [1]. He kept 40 sheep [1]."
    assert quoted(seen(answer(text, ONE, TWO))) == Scored(1 / 3)
    assert quoted(failed()) == Unscored("call failed: ProviderTimeout")
    assert quoted(seen(NOTHING_FOUND)) == Unscored("the answer declines, so it claims nothing")


async def test_a_name_from_the_title_of_the_cited_note_agrees(checker: LightChecker) -> None:
    found = await support_of(Claim("Cain showed, in Genesis 4, a proud heart.", (ONE,)), checker)
    assert found.supported


async def test_failed_and_declining_answers_have_no_groundedness(checker: LightChecker) -> None:
    assert await groundedness(failed(), checker) == Unscored("call failed: ProviderTimeout")
    declining = await groundedness(seen(NOTHING_FOUND), checker)
    assert declining == Unscored("the answer declines, so it claims nothing")
    assert await groundedness(seen("[1]"), checker) == Unscored("the answer has no sentence")
    assert await supports_of(failed(), checker) == ()
