"""A stub of an OpenAI-style provider: a real HTTP server that errs as it is told.

`running_stub` starts one for a test or a drill, `python -m loadtests.stub_provider` for a person.
"""

from __future__ import annotations

from loadtests.stub_provider.behaviours import (
    Behaviour,
    ConfidentlyWrong,
    ContentFilter,
    ContextOverflow,
    CutMidStream,
    Empty,
    Extract,
    Garbage,
    Hang,
    Latency,
    Loading,
    LognormalLatency,
    OutOfCredit,
    RateLimit,
    Refusal,
    Say,
    ServerError,
    SlowDrip,
)
from loadtests.stub_provider.calls import Calls
from loadtests.stub_provider.client import StubProvider, running_stub
from loadtests.stub_provider.obeying import Obey
from loadtests.stub_provider.registry import BEHAVIOURS

# fmt: off
__all__ = [
    "BEHAVIOURS", "Behaviour", "Calls", "ConfidentlyWrong", "ContentFilter", "ContextOverflow",
    "CutMidStream", "Empty", "Extract", "Garbage", "Hang", "Latency", "Loading",
    "LognormalLatency", "Obey", "OutOfCredit", "RateLimit", "Refusal", "Say", "ServerError",
    "SlowDrip", "StubProvider", "running_stub",
]
