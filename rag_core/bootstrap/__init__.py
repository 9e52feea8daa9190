"""Wiring: the only place that sees settings, adapters and the pipeline together."""

from __future__ import annotations

# fmt: off
from rag_core.bootstrap.application import Application, Overrides, assemble, build
from rag_core.bootstrap.caches import CacheStores
from rag_core.bootstrap.pipeline import Parts, wire_pipeline
from rag_core.bootstrap.providers import open_generator
from rag_core.bootstrap.servers import servers

__all__ = [
    "Application", "CacheStores", "Overrides", "Parts", "assemble", "build", "open_generator",
    "servers", "wire_pipeline",
]
