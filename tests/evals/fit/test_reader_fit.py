"""Teaching the light check's reader."""

from __future__ import annotations

import numpy as np
import pytest

from evals.datasets.golden import load
from evals.datasets.reading_claims import reading_claims
from evals.fit.reader import ELSEWHERE_COUNTS, lesson
from evals.fit.student import BATCH, ROUNDS, Lesson, Taught, teach
from evals.measures.measuring_embedder import MODEL
from evals.measures.support_reader import reading
from evals.measures.vectors import Vectors
from evals.project import GOLDEN
from rag_core.adapters.embedders import HashingEmbedder

NOUNS = ("shepherd", "baker", "mayor", "sailor", "weaver", "smith", "miller", "scribe")


def small_lesson() -> Lesson:
    """Who is said to have slept, and whether it was that one."""
    texts, right = [], []
    for mine in NOUNS:
        for theirs in (mine, mine, mine, NOUNS[NOUNS.index(mine) - 1], *NOUNS[:2]):
            texts.append(reading(f"The {mine} slept.", f"All night the {theirs} slept."))
            right.append(float(mine == theirs))
    return Lesson(texts, np.array(right, np.float32), np.ones(len(texts), np.float32))


@pytest.fixture(scope="module")
def taught() -> tuple[Lesson, Taught, int]:
    steps: list[None] = []
    given = small_lesson()
    return given, teach(MODEL, given, lambda: steps.append(None)), len(steps)


def test_losses_fall_from_round_to_round(taught: tuple[Lesson, Taught, int]) -> None:
    given, result, steps = taught
    assert steps == given.steps == ROUNDS * -(-len(given.texts) // BATCH)
    assert len(result.losses) == ROUNDS
    assert result.losses[-1] < result.losses[0]


def test_layers_learn_and_embeddings_stay(taught: tuple[Lesson, Taught, int]) -> None:
    _, result, _ = taught
    assert all(name.startswith("encoder.layer.") for name in result.layers)
    assert len(result.layers) == 6 * 16
    assert result.head.weight.shape == (384,)


def test_the_same_lesson_teaches_the_same(taught: tuple[Lesson, Taught, int]) -> None:
    given, result, _ = taught
    again = teach(MODEL, given, lambda: None)
    assert again.losses == pytest.approx(result.losses, rel=1e-3)


async def test_claims_are_read_beside_their_passage_and_some_beside_another() -> None:
    golden, claims = load(GOLDEN), reading_claims(GOLDEN)[:40]
    made = await lesson(claims, golden, Vectors(HashingEmbedder()), lambda text: len(text.split()))
    assert made.texts[0].startswith(f"{claims[0].claim} [SEP] ")
    elsewhere = made.counts == np.float32(ELSEWHERE_COUNTS)
    assert elsewhere.sum() == 10
    assert not made.right[elsewhere].any()
    assert made.right[~elsewhere].sum() == 20


async def test_what_is_read_is_of_the_claims_passage_and_often_no_more_than_decides() -> None:
    golden, claims = load(GOLDEN), reading_claims(GOLDEN)[:60]
    made = await lesson(claims, golden, Vectors(HashingEmbedder()), lambda text: len(text.split()))
    decisive = 0
    for text, claim in zip(made.texts, claims, strict=False):
        passage = golden.passages[claim.source]
        whole = "\n".join((passage.title, passage.ref, golden.text(claim.source)))
        read = text.partition(" [SEP] ")[2]
        assert all(word in whole for word in read.split())
        decisive += all(word in claim.evidence for word in read.split())
    assert 20 <= decisive <= 45
