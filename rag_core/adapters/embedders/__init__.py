"""Embedders: text to unit vectors, by onnxruntime, by torch, or by hashing for tests."""

from __future__ import annotations

from rag_core.adapters.embedders.backend import Backend, load_embedder
from rag_core.adapters.embedders.batches import MAX_PADDING, length_sorted_batches
from rag_core.adapters.embedders.export import export_model, export_once
from rag_core.adapters.embedders.exported import write_manifest
from rag_core.adapters.embedders.hashing import HashingEmbedder
from rag_core.adapters.embedders.model_files import PACKAGED, embedder_digest, resolve_model
from rag_core.adapters.embedders.threads import NICENESS, available_cores
from rag_core.adapters.embedders.word_pieces import WordPieces, word_piece_tokenizer

# fmt: off
__all__ = [
    "MAX_PADDING", "NICENESS", "PACKAGED", "Backend", "HashingEmbedder", "WordPieces",
    "available_cores", "embedder_digest", "export_model", "export_once", "length_sorted_batches",
    "load_embedder", "resolve_model", "word_piece_tokenizer", "write_manifest",
]
