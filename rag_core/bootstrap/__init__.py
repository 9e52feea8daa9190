"""Wiring: the only place that sees settings, adapters and the pipeline together."""

from __future__ import annotations

# fmt: off
from rag_core.bootstrap.access import open_authenticator, open_keys
from rag_core.bootstrap.alerts import watch_spending
from rag_core.bootstrap.application import Application, Overrides, assemble, build
from rag_core.bootstrap.budget import caps_of, open_spending
from rag_core.bootstrap.caches import CacheStores
from rag_core.bootstrap.canary import Canary, in_canary
from rag_core.bootstrap.classes import class_routers, classes_in_use
from rag_core.bootstrap.cores import own_cores
from rag_core.bootstrap.costs import open_costs
from rag_core.bootstrap.feedback import open_feedback
from rag_core.bootstrap.guards import provider_guard
from rag_core.bootstrap.memory import settled
from rag_core.bootstrap.notes import open_notes
from rag_core.bootstrap.pipeline import Parts, wire_pipeline
from rag_core.bootstrap.prompt import prompt_rules
from rag_core.bootstrap.providers import Writers, open_generator, open_providers
from rag_core.bootstrap.rollout import Answering, Rollout
from rag_core.bootstrap.servers import servers
from rag_core.bootstrap.telemetry import Telemetry, log_as_configured, open_telemetry

__all__ = [
    "Answering", "Application", "CacheStores", "Canary", "Overrides", "Parts", "Rollout",
    "Telemetry", "Writers", "assemble", "build", "caps_of", "class_routers", "classes_in_use",
    "in_canary", "log_as_configured", "open_authenticator", "open_costs", "open_feedback",
    "open_generator", "open_keys", "open_notes", "open_providers", "open_spending",
    "open_telemetry", "own_cores", "prompt_rules", "provider_guard", "servers", "settled",
    "watch_spending", "wire_pipeline",
]
