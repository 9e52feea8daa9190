"""The server: one process, or several that share a port."""

from __future__ import annotations

import math
import os
import signal
from functools import partial
from pathlib import Path

import uvicorn
from starlette.applications import Starlette
from uvicorn.supervisors import Multiprocess
from uvicorn.supervisors.multiprocess import Process

from rag_core.app.application import create_app
from rag_core.settings import Settings, load_settings


def serve(settings: Settings, env_file: Path | None = None) -> None:
    """Serve until SIGINT or SIGTERM; returns when what was under way has ended.

    Args:
        env_file: where the settings came from; on SIGHUP the canary is read from it again.
    """
    config = uvicorn.Config(
        partial(_application, settings, env_file),
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        lifespan="on",
        ws="none",
        access_log=False,  # RequestServed says it
        server_header=False,
        timeout_graceful_shutdown=math.ceil(settings.shutdown_s),
    )
    if settings.workers == 1:
        uvicorn.Server(config).run()
    else:
        Workers(config, [config.bind_socket()]).run()


def _application(settings: Settings, env_file: Path | None) -> Starlette:
    """The application of one process."""
    if env_file is None:
        return create_app(settings)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until the application hears it
    return create_app(settings, read=partial(load_settings, env_file))


class Workers(Multiprocess):
    """Processes of which none is replaced on SIGHUP: each is told, once it can hear it."""

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
