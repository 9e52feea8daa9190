"""The reference backend: sentence-transformers on torch."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

import numpy as np
from tokenizers import Tokenizer

from rag_core.adapters.embedders.model_files import MAX_WORD_PIECES, ModelFiles
from rag_core.adapters.embedders.threads import available_cores
from rag_core.adapters.embedders.word_pieces import WordPieces
from rag_core.domain.ranking import DIMENSIONS
from rag_core.errors import ConfigurationError

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer

    from rag_core.domain.ranking import Matrix

_BATCH_TEXTS = 32


class SentenceTransformersEmbedder:
    """What the published figures were made with; one call at a time, `threads` cores for bulk.

    Raises:
        ConfigurationError: sentence-transformers or torch is not installed.
    """

    def __init__(self, files: ModelFiles, *, threads: int | None = None) -> None:
        self._digest = files.digest
        self._model = _model(files)
        self._word_pieces = WordPieces(files.folder / "tokenizer.json")
        self._threads = threads or available_cores()
        self._one_at_a_time = threading.Lock()  # torch's number of threads is one for all

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
        return await asyncio.to_thread(self._embed, list(texts))

    def _embed(self, texts: list[str]) -> Matrix:
        import torch

        with self._one_at_a_time:
            torch.set_num_threads(1 if len(texts) == 1 else self._threads)
            vectors = self._model.encode(
                texts,
                batch_size=_BATCH_TEXTS,  # sorted by length inside
                normalize_embeddings=True,
                convert_to_numpy=True,
                show_progress_bar=False,
            )
        return np.asarray(vectors, np.float32)


def _model(files: ModelFiles) -> SentenceTransformer:
    for package in ("torch", "sentence_transformers"):
        if find_spec(package) is None:
            raise ConfigurationError(
                "RAG_EMBEDDER_BACKEND",
                f"torch needs {package}, which is not installed",
                "Run: pip install 'rag_core[torch]', or use the onnx backend",
            )
    from sentence_transformers import SentenceTransformer

    model = SentenceTransformer(str(files.folder), device="cpu")
    model.max_seq_length = MAX_WORD_PIECES
    _obey_tokenizer_file(model, files)
    return model


def _obey_tokenizer_file(model: SentenceTransformer, files: ModelFiles) -> None:
    """transformers builds a BERT tokenizer anew and keeps only the vocabulary of the file."""
    ours, read = model.tokenizer.backend_tokenizer, Tokenizer.from_file(str(files.tokenizer))
    ours.model, ours.normalizer = read.model, read.normalizer
    ours.pre_tokenizer, ours.post_processor = read.pre_tokenizer, read.post_processor
