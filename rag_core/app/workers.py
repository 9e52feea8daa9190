"""Several processes that share a port, none of which is replaced on SIGHUP."""

from __future__ import annotations

import os
import signal
import threading
from multiprocessing import parent_process
from multiprocessing.connection import wait

from uvicorn.config import STARTUP_FAILURE
from uvicorn.supervisors import Multiprocess
from uvicorn.supervisors.multiprocess import Process

LISTENS_EVERY_S = 0.1
"""Seconds after which a signal is heard while workers end."""

_STOPS = {signal.SIGTERM, signal.SIGINT}


class Workers(Multiprocess):
    """Each process is told of SIGHUP, once it can hear it."""

    failed = False
    """Whether a worker could not start, which ended all of them."""

    _untold: tuple[Process, ...] = ()

    def init_processes(self) -> None:
        """Start them."""
        super().init_processes()
        self._let_go()

    def handle_hup(self) -> None:
        """Have every worker read its canary again."""
        self._untold = tuple(self.processes)

    def keep_subprocess_alive(self) -> None:
        """Replace the dead, and tell whoever is still to be told."""
        super().keep_subprocess_alive()
        self._let_go()
        alive = (worker for worker in self._untold if worker in self.processes)
        self._untold = tuple(worker for worker in alive if not _told(worker))
        self.failed = any(worker.exitcode == STARTUP_FAILURE for worker in self.processes)

    def _let_go(self) -> None:
        """Close what of a worker's pipe is the worker's alone.

        The pipe then ends with it. With a hand of ours on that end, a worker that died before it
        answered a health check was waited for as long as one may take, and nobody replaced.
        """
        for worker in self.processes:
            worker.child_conn.close()

    def terminate_all(self) -> None:
        """Tell every worker to end what is under way; nobody waits at a port that they leave."""
        for each in self.sockets:
            each.close()
        super().terminate_all()

    def join_all(self) -> None:
        """Wait until all have ended; whoever says again that they shall means at once."""
        while alive := [worker.process for worker in self.processes if worker.exitcode is None]:
            wait([each.sentinel for each in alive], LISTENS_EVERY_S)
            if _STOPS.intersection(self.signal_queue):
                for each in alive:
                    each.kill()
        super().join_all()


def end_with_supervisor() -> None:
    """Have this worker end as on SIGTERM once its supervisor is gone, however that ended.

    Nobody else would replace it, reload it or free its port. Does nothing in a process of its own.
    """
    supervisor = parent_process()
    if supervisor is None:
        return

    def watch() -> None:
        supervisor.join()
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="supervisor", daemon=True).start()


def _told(worker: Process) -> bool:
    """Whether the worker could be told: one that does not serve yet does not hear it."""
    if worker.pid is None or not worker.is_ready():
        return False
    os.kill(worker.pid, signal.SIGHUP)
    return True
