from __future__ import annotations

from pathlib import Path

import pytest

from evals.measures.support import LightChecker
from evals.measures.vectors import Vectors
from rag_core.adapters.embedders import load_embedder
from tests.evals.light_checks import light_checker

WELL = "Near Hebron the shepherd Abram dug twelve wells. Many travellers praised him for it."
CREEK = "The mayor thanked the baker. It is often best to wait until the ice has melted."


@pytest.fixture(scope="module")
def checker(exported_model: Path) -> LightChecker:
    return light_checker(Vectors(load_embedder(str(exported_model), cache_dir=exported_model)))


@pytest.mark.parametrize(
    ("source", "right", "wrong"),
    [
        (WELL, "The shepherd Abram dug wells.", "The shepherd Abram did not dig wells."),
        (WELL, "Abram dug twelve wells there.", "Abram dug eleven wells there."),
        (WELL, "There Abram dug wells near Hebron.", "There Abram dug wells near Damascus."),
        (WELL, "Many travellers praised Abram.", "All travellers always praised Abram."),
        (CREEK, "It was the mayor who thanked the baker.", "The baker thanked the mayor."),
        (
            CREEK,
            "Often it is best to wait for the melting.",
            "It is always best to wait, never else.",
        ),
        (CREEK, "Until the ice has melted it is often best to wait.", "It is often worst to wait."),
        (
            WELL,
            "The shepherd Abram dug wells and was praised by a lot of travellers.",
            "The shepherd Abram dug wells and married the daughter of a rich innkeeper.",
        ),
    ],
    ids=["negated", "number", "name", "overgeneralised", "roles", "quantifier", "opposite", "off"],
)
async def test_a_wrong_claim_scores_below_its_right_counterpart(
    checker: LightChecker, source: str, right: str, wrong: str
) -> None:
    kept, noticed = await checker.scores([(right, source), (wrong, source)])
    assert noticed < kept
    assert kept >= checker.threshold


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("Abram did not dig twelve wells near Hebron.", WELL),
        ("Abram dug thirty wells near Sodom.", WELL),
        ("Abram dug wells and married the daughter of a rich innkeeper.", WELL),
        ("The baker thanked the mayor.", CREEK),
        ("The parliament passed a new tax on imported steel.", WELL),
    ],
)
async def test_the_threshold_rejects_what_is_plainly_wrong(
    checker: LightChecker, claim: str, source: str
) -> None:
    (score,) = await checker.scores([(claim, source)])
    assert score < checker.threshold


async def test_a_claim_that_the_source_has_word_for_word_is_certain(checker: LightChecker) -> None:
    assert await checker.scores([("The mayor thanked the baker.", CREEK)]) == [1.0]
    (denied,) = await checker.scores(
        [("The mayor thanked the baker.", "It is not true that the mayor thanked the baker.")]
    )
    assert denied < checker.threshold


async def test_nothing_supports_a_claim_without_content_and_an_empty_source_supports_none(
    checker: LightChecker,
) -> None:
    assert await checker.scores([("It is so.", WELL), ("Abram dug wells.", " \n")]) == [0.0, 0.0]
    assert await checker.scores([]) == []


@pytest.mark.parametrize(
    ("claim", "right"),
    [
        ("Abram dug wells.", True),
        ("A great number of travellers praised Abram.", True),
        ("Abram did not dig twelve wells near Hebron.", False),
        ("Abram dug thirty wells near Sodom.", False),
        ("Abram dug wells and married the daughter of a rich innkeeper.", False),
    ],
)
async def test_other_sentences_of_a_long_source_change_no_verdict(
    checker: LightChecker, claim: str, right: bool
) -> None:
    noise = " ".join(f"Nobody ever saw field {number} in flower." for number in range(2, 12))
    scores = await checker.scores([(claim, WELL), (claim, f"{noise} {WELL} {noise}")])
    assert [score >= checker.threshold for score in scores] == [right, right]


@pytest.mark.xfail(strict=True, reason="the reader moves it by some .08, more than was held before")
async def test_other_sentences_of_a_long_source_do_not_disturb(checker: LightChecker) -> None:
    noise = " ".join(f"Nobody ever saw field {number} in flower." for number in range(2, 12))
    short, long = await checker.scores(
        [("Abram dug wells.", WELL), ("Abram dug wells.", f"{noise} {WELL} {noise}")]
    )
    assert long == pytest.approx(short, abs=0.05)


@pytest.mark.xfail(strict=True, reason="one right paraphrase in five is rejected, this one too")
async def test_a_paraphrase_in_quite_other_words_is_kept(checker: LightChecker) -> None:
    claim = "The shepherd Abram dug wells and was commended by a lot of wayfarers."
    (score,) = await checker.scores([(claim, WELL)])
    assert score >= checker.threshold
