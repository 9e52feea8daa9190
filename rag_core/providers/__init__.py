"""Who writes the answers, and what becomes of what they write."""

from __future__ import annotations

# fmt: off
from rag_core.providers.call import Call
from rag_core.providers.choices import MAX_TEMPERATURE, MIN_TOKENS, Choices, Writer
from rag_core.providers.generation import Generation
from rag_core.providers.hedging import Hedging
from rag_core.providers.ladder import Ladder
from rag_core.providers.provider import Provider
from rag_core.providers.router import Router

__all__ = [
    "MAX_TEMPERATURE", "MIN_TOKENS", "Call", "Choices", "Generation", "Hedging",
    "Ladder", "Provider", "Router", "Writer",
]
