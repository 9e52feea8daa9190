"""Two embedders are compared by what one and the same says of their answers."""

from __future__ import annotations

from pathlib import Path

import pytest

from evals.measures.measuring_embedder import MODEL, measuring_embedder
from evals.measures.support_reader import load_reader
from evals.quality.study import study
from rag_core.adapters.embedders import HashingEmbedder, load_embedder, resolve_model
from rag_core.settings import Settings
from tests.evals.light_checks import MODELS


def test_what_measures_is_the_default_model_whichever_is_deployed(exported_model: Path) -> None:
    home = exported_model.parents[1]
    settings = Settings(home=home)
    measuring = measuring_embedder(HashingEmbedder(), settings)
    assert measuring.digest == resolve_model(MODEL).digest
    deployed = load_embedder(MODEL, cache_dir=home / "models")
    assert measuring_embedder(deployed, settings) is deployed


async def test_another_deployed_model_measures_no_answer(
    sample: Path, other_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RAG_EMBEDDER_MODEL", str(other_model))
    await study(sample)
    kept = {each.stem for each in (tmp_path / "home" / "vectors").glob("*.sqlite")}
    reader = load_reader(MODELS)
    assert kept == {resolve_model(MODEL).digest[:32], reader.digest[:32]}
