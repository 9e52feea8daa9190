"""Settings of retrieval: by what is searched, how, and for how many hits."""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings

from rag_core.domain.query import LEXICAL_WEIGHT, SearchMode
from rag_core.domain.ranking import SearchMethod


class SearchSettings(BaseSettings):
    """The part of the settings that is about finding chunks.

    `exact_up_to` is a number of chunks.
    `lexical_weight` is a number by which BM25 is multiplied.
    `min_answerability` is a probability, 0 to 1.
    """

    # Retrieval.
    search_mode: SearchMode = Field(SearchMode.HYBRID, description="by vectors, by words, or both")
    lexical_weight: float = Field(
        LEXICAL_WEIGHT, ge=0, le=1, description="of a point of BM25 beside the cosine, in hybrid"
    )
    search_method: SearchMethod = Field(SearchMethod.EXACT, description="hnsw needs its index")
    ef_search: int = Field(100, ge=1, le=1000, description="candidates that hnsw keeps")
    exact_up_to: int = Field(
        2_000, ge=0, description="with hnsw: chunks of a user that are scanned exactly all the same"
    )
    top_k: int = Field(5, ge=1, le=100, description="hits of a question")
    min_score: float = Field(
        0.20, ge=-1, le=1, description="relevance below which a hit is noise: cosine and bonus"
    )

    # Declining. In lexical and hybrid search one decision a question comes before RAG_MIN_SCORE;
    # the default loses 8 % of the dev questions that the notes can answer.
    min_answerability: float = Field(
        0.03, ge=0, le=1, description="probability of an answer in the notes below which none is"
    )
