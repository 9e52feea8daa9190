"""What the two kinds of OTLP have in common: who sends, and where to."""

from __future__ import annotations

import os
import socket
from importlib.metadata import version

from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.semconv.schemas import Schemas

SCHEMA_URL = Schemas.V1_44_0.value
"""Of the semantic conventions whose attribute names are used, GenAI's among them; pinned."""

TIMEOUT_S = 5.0
"""Seconds that one export may take, with its repetitions; what does not get through is lost."""

SCOPE = InstrumentationScope("rag_core", version("rag_core"), SCHEMA_URL)


def resource() -> Resource:
    """This process, as backends tell it from others; OTEL_RESOURCE_ATTRIBUTES may say more."""
    return Resource.create(
        {
            "service.name": "rag_core",
            "service.version": version("rag_core"),
            "service.instance.id": f"{socket.gethostname()}-{os.getpid()}",
        },
        SCHEMA_URL,
    )
