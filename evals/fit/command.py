"""The command that fits a model and writes it beside the code that uses it."""

from __future__ import annotations

import asyncio

import msgspec

from evals.datasets.golden import GoldenSet, load
from evals.fit.support import SupportFit, as_text, fit_support
from evals.measures.support import WEIGHTS
from evals.measures.vectors import Vectors
from evals.project import GOLDEN, project_settings
from rag_core.adapters.embedders import load_embedder
from rag_core.errors import InvalidInput


def run_support_fit() -> None:
    """Fit the light check of support, write its weights and print how it does out of fold.

    Raises:
        InvalidInput: the golden data hold no dev claims.
    """
    fit = asyncio.run(_fit(golden_claims()))
    WEIGHTS.write_bytes(msgspec.json.format(msgspec.json.encode(fit.weights), indent=2) + b"\n")
    print(as_text(fit))
    print(f"wrote {WEIGHTS.name}")


def golden_claims() -> GoldenSet:
    """The golden set that holds the claims.

    Raises:
        InvalidInput: it holds no dev claims.
    """
    golden = load(GOLDEN)
    if not any(claim.split == "dev" for claim in golden.claims):
        raise InvalidInput(str(GOLDEN), "holds no claims of split dev", "Restore claims.jsonl")
    return golden


async def _fit(golden: GoldenSet) -> SupportFit:
    settings = project_settings()
    embedder = load_embedder(
        settings.embedder_model, backend="onnx", cache_dir=settings.home / "models"
    )
    return await fit_support(golden, Vectors(embedder))
