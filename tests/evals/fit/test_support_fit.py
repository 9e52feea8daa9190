from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from evals.datasets.golden import GoldenSet
from evals.fit.command import golden_claims
from evals.fit.support import ELSEWHERE, OutOfFold, SupportFit, as_text, elsewhere, fit_support
from evals.measures.support import stored_weights
from evals.measures.vectors import Vectors
from rag_core.adapters.embedders import HashingEmbedder, load_embedder
from tests.evals.light_checks import support_reader


@pytest.fixture(scope="module")
def golden() -> GoldenSet:
    return golden_claims()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fit(golden: GoldenSet, exported_model: Path) -> SupportFit:
    vectors = Vectors(load_embedder(str(exported_model), cache_dir=exported_model))
    return await fit_support(golden, vectors, support_reader())


async def test_the_stored_weights_are_those_of_the_committed_claims(fit: SupportFit) -> None:
    """If not: python -m evals fit support."""
    stored = stored_weights()
    assert fit.weights.claims_sha256 == stored.claims_sha256
    assert fit.weights.weights == pytest.approx(stored.weights, abs=0.05)
    assert fit.weights.intercept == pytest.approx(stored.intercept, abs=0.05)
    assert fit.weights.threshold == pytest.approx(stored.threshold, abs=0.02)


FREE = ("q", "s")
"""Ids of the two authors whose negations and made-up details are half in quite other words."""


async def test_out_of_fold_the_light_check_notices_what_it_is_for(fit: SupportFit) -> None:
    """In words near the source's as required; of what is said in quite other words, about half.

    Beside its whole passage, as an answer cites it, and beside the words that decide alone.
    """
    near = {"negated": 0.85, "name": 0.7, "number": 0.7, "overgeneralised": 0.6, "off_source": 0.7}
    free = {"negated": 0.5, "off_source": 0.4}
    for least, of_free in ((near, False), (free, True)):
        for kind, share in least.items():
            assert noticed(fit.beside_passage, kind, of_free=of_free) >= share, (kind, of_free)
    assert fit.beside_passage.area.value >= 0.8
    assert fit.beside_evidence.area.value >= 0.8
    assert "negated" in as_text(fit)


def noticed(found: OutOfFold, kind: str, *, of_free: bool) -> float:
    """Share of the claims of a kind that score below the threshold, of these authors or others."""
    below = [
        score < found.threshold
        for claim, score in zip(found.claims, found.scores, strict=True)
        if claim.kind == kind and claim.id.startswith(FREE) == of_free
    ]
    return sum(below) / len(below)


async def test_claims_of_the_test_split_change_nothing(golden: GoldenSet) -> None:
    vectors = Vectors(HashingEmbedder())
    wrong = [msgspec.structs.replace(claim, split="test", supported=not claim.supported)
             for claim in golden.claims]  # fmt: skip
    both = replace(golden, claims=(*golden.claims, *wrong))
    once, again = (
        await fit_support(golden, vectors, support_reader()),
        await fit_support(both, vectors, support_reader()),
    )
    assert once.weights == again.weights


def test_a_right_claim_elsewhere_is_wrong_and_beside_another_groups_passage(
    golden: GoldenSet,
) -> None:
    groups = {claim.source: claim.group for claim in golden.claims}
    words = {(claim.source, claim.evidence) for claim in golden.claims}
    moved = elsewhere(golden.claims)
    assert moved
    assert all(not claim.supported and claim.kind == ELSEWHERE for claim in moved)
    assert all(groups[claim.source] != claim.group for claim in moved)
    assert all((claim.source, claim.evidence) in words for claim in moved)
