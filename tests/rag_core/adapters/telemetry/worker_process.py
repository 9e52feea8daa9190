"""A worker in a process of its own: counts in a shared folder, says so, and stays."""

from __future__ import annotations

import sys
from pathlib import Path

from rag_core.events import BreakerChanged, MoneySettled, RequestStarted
from tests.rag_core.adapters.telemetry.metering import Worker

if __name__ == "__main__":
    worker = Worker(Path(sys.argv[1]))
    worker.tell(RequestStarted("/assistant/query"), MoneySettled("hf", "m", 2.5))
    worker.tell(BreakerChanged("hf", "closed", "open"))
    print("counted", flush=True)
    sys.stdin.read()
