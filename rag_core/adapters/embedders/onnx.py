"""The lean backend: onnxruntime on an exported model, without torch."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from rag_core.adapters.embedders.batches import MAX_BATCH_PIECES, length_sorted_batches
from rag_core.adapters.embedders.exported import ExportedModel
from rag_core.adapters.embedders.model_files import SETTING, Precision
from rag_core.adapters.embedders.threads import available_cores, background_threads
from rag_core.adapters.embedders.word_pieces import WordPieces, word_piece_tokenizer
from rag_core.domain.ranking import DIMENSIONS
from rag_core.errors import ConfigurationError

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from onnxruntime import InferenceSession
    from tokenizers import Encoding

    from rag_core.domain.ranking import Matrix


class OnnxEmbedder:
    """Runs an exported model, one core a batch: a query costs one core, bulk work takes `threads`.

    One session serves all threads, so a query never waits for the bulk work's queue. No more
    queries are embedded at once than there are cores: more would only take them from each other.

    Raises:
        ConfigurationError: onnxruntime cannot load the file.
    """

    def __init__(self, model: ExportedModel, *, threads: int | None = None) -> None:
        self._digest = model.digest
        self._tokenizer = word_piece_tokenizer(model.folder)
        self._word_pieces = WordPieces(model.folder / "tokenizer.json")
        self._alone = model.precision is Precision.INT8
        self._session = _session(model.onnx_file, model.precision)
        cores = available_cores()
        self._queries = background_threads("onnx-query", cores)
        self._workers = background_threads("onnx-batch", threads or cores)

    @property
    def digest(self) -> str:
        """SHA-256 of the weights, tokenizer, pooling and truncation, in hex."""
        return self._digest

    @property
    def max_word_pieces(self) -> int:
        """What is read of a text, special tokens not counted."""
        return self._word_pieces.max

    def count_word_pieces(self, text: str) -> int:
        """Number of word pieces in the whole of `text`, special tokens not counted."""
        return self._word_pieces.count(text)

    async def embed(self, texts: Sequence[str]) -> Matrix:
        """float32[len(texts), 384], rows of unit length, in the order of `texts`."""
        if not texts:
            return np.empty((0, DIMENSIONS), np.float32)
        pool = self._queries if len(texts) == 1 else None  # the loop's own, which only waits
        return await asyncio.get_running_loop().run_in_executor(pool, self._embed, list(texts))

    def _embed(self, texts: list[str]) -> Matrix:
        encodings = self._tokenizer.encode_batch_fast(texts)
        lengths = [len(encoding) for encoding in encodings]
        most = 1 if self._alone else MAX_BATCH_PIECES  # a text that exceeds it is a batch by itself
        batches = list(length_sorted_batches(lengths, max_pieces=most))
        padded = [[encodings[index] for index in batch] for batch in batches]
        vectors = np.empty((len(texts), DIMENSIONS), np.float32)
        run = map if len(texts) == 1 else self._workers.map
        for batch, rows in zip(batches, run(self._run, padded), strict=True):
            vectors[batch] = rows
        return vectors

    def _run(self, encodings: list[Encoding]) -> Matrix:
        pieces, mask = _padded(encodings)
        (vectors,) = self._session.run(None, {"input_ids": pieces, "attention_mask": mask})
        return np.asarray(vectors, np.float32)


def _padded(encodings: list[Encoding]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """int64[n, longest] word pieces, and the mask that is 1 where there is one."""
    shape = (len(encodings), max(len(encoding) for encoding in encodings))
    pieces, mask = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    for row, encoding in enumerate(encodings):
        pieces[row, : len(encoding)] = encoding.ids
        mask[row, : len(encoding)] = 1
    return pieces, mask


def _session(onnx_file: Path, precision: Precision) -> InferenceSession:
    os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")  # read by onnxruntime when imported
    import onnxruntime
    from onnxruntime.capi.onnxruntime_pybind11_state import Fail, InvalidGraph, InvalidProtobuf

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    try:
        return onnxruntime.InferenceSession(
            str(onnx_file),
            options,
            providers=["CPUExecutionProvider"],
            # Its kernel is slower than those it replaces (1.31.1): a quarter of all time, in bytes.
            disabled_optimizers=["SkipLayerNormFusion"] if precision is Precision.INT8 else None,
        )
    except (Fail, InvalidGraph, InvalidProtobuf) as error:
        raise ConfigurationError(
            SETTING,
            f"onnxruntime cannot load {onnx_file}",
            "Delete its folder; it is built again",
        ) from error
