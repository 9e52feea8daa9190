"""Token config and thresholds of a question, and the digest of all that decides an answer."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

from rag_core.domain.completion import Generator
from rag_core.domain.prompt import PROMPT_VERSION
from rag_core.domain.ranking import Embedder


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineConfig:
    """What a question may use; all of it is part of the answer's cache key."""

    question_tokens: int = 150
    context_tokens: int = 1200
    output_tokens: int = 400
    top_k: int = 5
    min_score: float = 0.40


def pipeline_digest(
    config: PipelineConfig, generator: Generator, embedder: Embedder, retrieval_name: str
) -> str:
    """Changes with every setting that may change an answer."""
    parts = [PROMPT_VERSION, generator.name, generator.model, embedder.digest, retrieval_name]
    content = json.dumps([parts, sorted(asdict(config).items())])
    return hashlib.sha256(content.encode()).hexdigest()[:16]
