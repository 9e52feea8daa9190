"""Generators: who writes the answers."""

from __future__ import annotations

from rag_core.adapters.generators.extractive import (
    Evidence,
    ExtractiveGenerator,
    ExtractiveWeights,
    quoted,
    stem,
    terms,
)
from rag_core.adapters.generators.scripted import Interrupted, ScriptedGenerator, ScriptItem

# fmt: off
__all__ = [
    "Evidence", "ExtractiveGenerator", "ExtractiveWeights", "Interrupted", "ScriptItem",
    "ScriptedGenerator", "quoted", "stem", "terms",
]
