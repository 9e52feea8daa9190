"""The server: one process, or several that share a port."""

from __future__ import annotations

import logging
import math
import os
import signal
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import uvicorn
from starlette.applications import Starlette
from uvicorn.supervisors import Multiprocess
from uvicorn.supervisors.multiprocess import Process

from rag_core.app.application import create_app
from rag_core.bootstrap import log_as_configured
from rag_core.settings import Settings, load_settings


def serve(settings: Settings, env_file: Path | None = None) -> None:
    """Serve until SIGINT or SIGTERM; returns when what was under way has ended.

    Args:
        env_file: where the settings came from; on SIGHUP the canary is read from it again.
    """
    _log(settings)
    if settings.workers == 1:
        uvicorn.Server(_config(settings, env_file, None)).run()
        return
    with TemporaryDirectory(prefix="rag-metrics-") as folder:
        config = _config(settings, env_file, Path(folder))
        Workers(config, [config.bind_socket()]).run()


def _config(
    settings: Settings, env_file: Path | None, metrics_folder: Path | None
) -> uvicorn.Config:
    return uvicorn.Config(
        partial(_application, settings, env_file, metrics_folder),
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        lifespan="on",
        ws="none",
        log_config=None,  # its messages are lines like all others
        access_log=False,  # RequestServed says it
        server_header=False,
        timeout_graceful_shutdown=math.ceil(settings.shutdown_s),
    )


def _application(
    settings: Settings, env_file: Path | None, metrics_folder: Path | None
) -> Starlette:
    """The application of a worker, in a process that knows nothing yet."""
    _log(settings)
    if env_file is None:
        return create_app(settings, metrics_folder=metrics_folder)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until the application hears it
    read = partial(load_settings, env_file)
    return create_app(settings, read=read, metrics_folder=metrics_folder)


def _log(settings: Settings) -> None:
    log_as_configured(settings)
    logging.getLogger("uvicorn.error").setLevel(logging.INFO)  # where it listens, if nothing else


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
