"""A recorder, and what Prometheus would read of it."""

from __future__ import annotations

from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

from rag_core.adapters.telemetry.cells import MemoryCells, SharedCells
from rag_core.adapters.telemetry.meter import CellMeter
from rag_core.adapters.telemetry.prometheus import exposition
from rag_core.adapters.telemetry.recorder import Recorder
from rag_core.adapters.telemetry.totals import totals
from rag_core.clock import ManualClock
from rag_core.events import Event

Samples = dict[tuple[str, ...], float]
"""Numbers by the name of the sample and the values of its labels in the order of their names."""


class Worker:
    """A listener that measures alone, or with others in a folder."""

    def __init__(self, folder: Path | None = None, clock: ManualClock | None = None) -> None:
        self.cells = SharedCells(folder) if folder else MemoryCells()
        self.record = Recorder(CellMeter(self.cells, clock or ManualClock()))

    def tell(self, *events: Event) -> None:
        for event in events:
            self.record(event)

    def text(self, *, process: bool = False) -> str:
        return exposition(totals(self.cells.read()), process=process).decode()

    def samples(self) -> Samples:
        return samples_of(self.text())


def samples_of(text: str) -> Samples:
    """What Prometheus makes of an exposition; the same series twice is an error."""
    found: Samples = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = [value for _, value in sorted(sample.labels.items())]
            key = (sample.name, *labels)
            assert key not in found, f"{key} twice"
            found[key] = sample.value
    return found
