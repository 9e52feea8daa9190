"""Settings of the caches: where answers are kept, for how long, and how fresh they must be."""

from __future__ import annotations

from typing import Literal, Self

from pydantic import Field, model_validator
from pydantic_settings import BaseSettings


class CacheSettings(BaseSettings):
    """The part of the settings that is about caches."""

    # Caches; `auto` is Redis when there is a URL, else the memory of this process; `off` is none.
    cache: Literal["auto", "redis", "memory", "off"] = Field(
        "auto", description="where answers are kept"
    )
    redis_budget_s: float = Field(
        0.05, gt=0, description="for Redis before an answer, and again to keep it"
    )
    max_staleness_s: float = Field(
        0.0, ge=0, le=3_600, description="how long to believe an epoch; 0 asks Postgres every time"
    )
    embedding_ttl_s: float = Field(604_800, gt=0, description="how long a vector is kept")
    context_ttl_s: float = Field(3_600, gt=0, description="how long a context is kept")
    context_cache_bytes: int = Field(8_000_000, ge=0, description="in each process")
    ttl_jitter: float = Field(0.1, ge=0, lt=1)
    """Share by which a stored TTL is at most longer or shorter, at random, lest all end at once."""
    answer_soft_ttl_s: float = Field(86_400, gt=0, description="then an answer is made anew")
    answer_hard_ttl_s: float = Field(604_800, gt=0, description="then it is gone")

    @model_validator(mode="after")
    def _lasting(self) -> Self:
        if self.answer_hard_ttl_s < self.answer_soft_ttl_s:
            raise ValueError("RAG_ANSWER_HARD_TTL_S must be at least RAG_ANSWER_SOFT_TTL_S")
        return self
