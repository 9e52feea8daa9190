from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import msgspec
import pytest
import pytest_asyncio

from evals.datasets.golden import GoldenSet
from evals.fit.command import golden_claims
from evals.fit.support import ELSEWHERE, SupportFit, as_text, elsewhere, fit_support
from evals.measures.support import stored_weights
from evals.measures.vectors import Vectors
from rag_core.adapters.embedders import HashingEmbedder, load_embedder


@pytest.fixture(scope="module")
def golden() -> GoldenSet:
    return golden_claims()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def fit(golden: GoldenSet, exported_model: Path) -> SupportFit:
    vectors = Vectors(load_embedder(str(exported_model), cache_dir=exported_model))
    return await fit_support(golden, vectors)


async def test_the_stored_weights_are_those_of_the_committed_claims(fit: SupportFit) -> None:
    """If not: python -m evals fit support."""
    stored = stored_weights()
    assert fit.weights.claims_sha256 == stored.claims_sha256
    assert fit.weights.weights == pytest.approx(stored.weights, abs=0.05)
    assert fit.weights.intercept == pytest.approx(stored.intercept, abs=0.05)
    assert fit.weights.threshold == pytest.approx(stored.threshold, abs=0.02)


async def test_out_of_fold_the_light_check_notices_what_it_is_for(fit: SupportFit) -> None:
    least = {"negated": 0.85, "name": 0.7, "number": 0.7, "overgeneralised": 0.6, "off_source": 0.7}
    for kind, share in least.items():
        part, whole = fit.rejected(kind)
        assert part / whole >= share, kind
    assert fit.area.value >= 0.8
    assert "negated" in as_text(fit)


async def test_claims_of_the_test_split_change_nothing(golden: GoldenSet) -> None:
    vectors = Vectors(HashingEmbedder())
    wrong = [msgspec.structs.replace(claim, split="test", supported=not claim.supported)
             for claim in golden.claims]  # fmt: skip
    both = replace(golden, claims=(*golden.claims, *wrong))
    once, again = await fit_support(golden, vectors), await fit_support(both, vectors)
    assert once.weights == again.weights


def test_a_right_claim_elsewhere_is_wrong_and_beside_another_groups_passage(
    golden: GoldenSet,
) -> None:
    groups = {claim.source: claim.group for claim in golden.claims}
    moved = elsewhere(golden.claims)
    assert moved
    assert all(not claim.supported and claim.kind == ELSEWHERE for claim in moved)
    assert all(groups[claim.source] != claim.group for claim in moved)
