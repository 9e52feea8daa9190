"""Who writes the answers, and what becomes of what they write."""

from __future__ import annotations

from rag_core.providers.generation import Generation

__all__ = ["Generation"]
