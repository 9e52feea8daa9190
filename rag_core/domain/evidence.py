"""Evidence: the fingerprint of what an answer rests on."""

from __future__ import annotations

import hashlib
import json

from rag_core.domain.context import Context
from rag_core.domain.question import Question


def fingerprint(question: Question, context: Context, pipeline: str) -> str:
    """SHA-256, in hex, over everything that decides the prompt and the citations.

    Equal fingerprints mean that the prompt would be identical: the same question over the same
    numbered sources (ids, text and metadata as rendered) under the same `pipeline` digest (rules,
    model, limits). Letter case of the question does not count.
    """
    sources = [
        (source.hit.chunk_id, source.hit.start, source.render()) for source in context.sources
    ]
    content = json.dumps([pipeline, question.text.casefold(), sources], ensure_ascii=False)
    return hashlib.sha256(content.encode()).hexdigest()
