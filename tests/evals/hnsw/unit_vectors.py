"""Made-up vectors for tests of how a search works; none says how well."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from rag_core.domain import Matrix


def unit_vectors(rows: int, seed: int = 0) -> Matrix:
    """float32[rows, 384] of unit length."""
    vectors = np.random.default_rng(seed).standard_normal((rows, 384)).astype(np.float32)
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
