"""The two real backends make the same vectors, and say so by one digest."""

from __future__ import annotations

import numpy as np

from rag_core.adapters.embedders.hashing import HashingEmbedder
from rag_core.retrieval import Embedder


async def test_onnx_and_torch_agree_on_500_real_texts(
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


def test_the_fake_never_passes_for_the_real_model(onnx_embedder: Embedder) -> None:
    assert HashingEmbedder().digest != onnx_embedder.digest
