"""Generators: who writes the answers."""

from __future__ import annotations

from rag_core.adapters.generators.extractive import ExtractiveGenerator, stem, terms
from rag_core.adapters.generators.scripted import Interrupted, ScriptedGenerator, ScriptItem

# fmt: off
__all__ = [
    "ExtractiveGenerator", "Interrupted", "ScriptItem", "ScriptedGenerator", "stem", "terms",
]
