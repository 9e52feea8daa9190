from __future__ import annotations

import pytest

from evals.measures.support_coverage import unsaid
from evals.measures.vectors import Vectors
from rag_core.adapters.embedders import HashingEmbedder

SOURCE = ["The shepherd dug wells.", "Many travellers praised him.", "Rain fell in the valley."]


@pytest.mark.parametrize(
    "claim",
    [
        "Wells were dug by the shepherd.",
        "Travellers praised the shepherd for digging wells.",
        "The valley had rain.",
        "Rain.",
    ],
)
async def test_what_stands_in_one_sentence_or_two_adjacent_ones_is_said(claim: str) -> None:
    assert await unsaid(claim, SOURCE, Vectors(HashingEmbedder())) == pytest.approx(0, abs=1e-6)


async def test_a_phrase_of_its_own_is_unsaid_however_much_is_quoted_before_it() -> None:
    claim = "The shepherd dug wells, and many travellers praised him"
    vectors = Vectors(HashingEmbedder())
    added = f"{claim}, selling carved wooden spoons at harbour taverns."
    assert await unsaid(added, SOURCE, vectors) > 0.5 > await unsaid(claim, SOURCE, vectors)


async def test_a_source_without_content_says_nothing() -> None:
    assert await unsaid("Rain fell.", ["It is."], Vectors(HashingEmbedder())) == 1
