"""Embedding stands back where cores are short, and takes no more of them than there are."""

from __future__ import annotations

import asyncio
import os
import sys
import threading
from pathlib import Path

import pytest

from rag_core.adapters.embedders import NICENESS, available_cores, load_embedder
from rag_core.domain import Embedder
from tests.rag_core.adapters.embedders.conftest import MODEL


def embedding_threads() -> list[threading.Thread]:
    return [each for each in threading.enumerate() if each.name.startswith("onnx-")]


@pytest.mark.skipif(sys.platform != "linux", reason="a thread has no priority of its own here")
async def test_threads_that_embed_stand_back_and_the_loops_own_does_not(
    onnx_embedder: Embedder, real_texts: list[str]
) -> None:
    before = os.getpriority(os.PRIO_PROCESS, 0)
    await onnx_embedder.embed(["What is grace?"])
    await onnx_embedder.embed(real_texts)
    assert {each.name.rpartition("_")[0] for each in embedding_threads()} == {
        "onnx-query",
        "onnx-batch",
    }
    for each in embedding_threads():
        assert each.native_id is not None
        assert os.getpriority(os.PRIO_PROCESS, each.native_id) == before + NICENESS
    assert os.getpriority(os.PRIO_PROCESS, 0) == before


async def test_no_more_questions_are_embedded_at_once_than_there_are_cores(
    models_dir: Path, real_texts: list[str]
) -> None:
    of_others = embedding_threads()
    embedder = load_embedder(MODEL, cache_dir=models_dir)
    await asyncio.gather(*(embedder.embed([text]) for text in real_texts))
    started = [each for each in embedding_threads() if each not in of_others]
    queries = [each for each in started if each.name.startswith("onnx-query")]
    assert 1 <= len(queries) <= available_cores()
