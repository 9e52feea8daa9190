"""The light check as it is deployed, by any vectors; its reader is loaded once for all tests."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from evals.measures.support import LightChecker
from evals.measures.support_reader import SupportReader, load_reader, stored_head
from evals.measures.vectors import Vectors
from rag_core.domain import Embedder

MODELS = Path(__file__).resolve().parents[2] / ".rag" / "models"


def light_checker(vectors: Vectors) -> LightChecker:
    """With the stored weights."""
    return LightChecker(vectors, support_reader())


def support_reader() -> SupportReader:
    """The stored reader."""
    return SupportReader(_encoder(), stored_head())


@cache
def _encoder() -> Embedder:
    return load_reader(MODELS)
