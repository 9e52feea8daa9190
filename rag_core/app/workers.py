"""Several processes that share a port, none of which is replaced on SIGHUP."""

from __future__ import annotations

import os
import signal

from uvicorn.supervisors import Multiprocess
from uvicorn.supervisors.multiprocess import Process


class Workers(Multiprocess):
    """Each process is told of SIGHUP, once it can hear it."""

    _untold: tuple[Process, ...] = ()

    def handle_hup(self) -> None:
        """Have every worker read its canary again."""
        self._untold = tuple(self.processes)

    def keep_subprocess_alive(self) -> None:
        """Replace the dead, and tell whoever is still to be told."""
        super().keep_subprocess_alive()
        alive = (worker for worker in self._untold if worker in self.processes)
        self._untold = tuple(worker for worker in alive if not _told(worker))


def _told(worker: Process) -> bool:
    """Whether the worker could be told: one that does not serve yet does not hear it."""
    if worker.pid is None or not worker.is_ready():
        return False
    os.kill(worker.pid, signal.SIGHUP)
    return True
