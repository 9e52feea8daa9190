"""Token limits and thresholds of a question, and the digest of all that decides an answer."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

from rag_core.domain.prompt import PROMPT_VERSION


@dataclass(frozen=True, slots=True, kw_only=True)
class PipelineConfig:
    """What a question may use; all of it is part of the answer's cache key."""

    question_tokens: int = 150
    context_tokens: int = 1200
    output_tokens: int = 400
    top_k: int = 5
    min_score: float = 0.20
    min_answerability: float = 0.0
    """A probability, 0 to 1, where words are searched."""


def pipeline_digest(config: PipelineConfig, *identities: str, prompt: str = PROMPT_VERSION) -> str:
    """16 hex digits of a SHA-256 over the prompt's version, all settings and the parts' names.

    Args:
        identities: name and model of the generator, digest of the embedder, the way of searching.
        prompt: version of the rules.
    """
    content = json.dumps([[prompt, *identities], sorted(asdict(config).items())])
    return hashlib.sha256(content.encode()).hexdigest()[:16]
