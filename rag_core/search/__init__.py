"""Finding what a question is answered from."""

from __future__ import annotations

from rag_core.search.filters import named_filters
from rag_core.search.retrieval import Retrieval, Retrieved

__all__ = ["Retrieval", "Retrieved", "named_filters"]
