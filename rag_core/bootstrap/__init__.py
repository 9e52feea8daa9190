"""Wiring: the only place that sees settings, adapters and the pipeline together."""

from __future__ import annotations

# fmt: off
from rag_core.bootstrap.application import (
    Application, Overrides, assemble, build, open_generator, servers,
)
from rag_core.bootstrap.caches import CacheStores
from rag_core.bootstrap.pipeline import Parts, wire_pipeline

__all__ = [
    "Application", "CacheStores", "Overrides", "Parts", "assemble", "build", "open_generator",
    "servers", "wire_pipeline",
]
