"""Finding what a question is answered from."""

from __future__ import annotations

from rag_core.search.answerability import (
    FIRST,
    AnswerabilityModel,
    Signs,
    fitted_model,
    signs,
    usable_hits,
)
from rag_core.search.filters import named_filters
from rag_core.search.retrieval import Retrieval, Retrieved

__all__ = [
    "FIRST",
    "AnswerabilityModel",
    "Retrieval",
    "Retrieved",
    "Signs",
    "fitted_model",
    "named_filters",
    "signs",
    "usable_hits",
]
