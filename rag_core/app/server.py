"""The server: one process, or several that share a port."""

from __future__ import annotations

import logging
import math
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import uvicorn
from starlette.applications import Starlette
from uvicorn.supervisors import Multiprocess

from rag_core.app.application import create_app
from rag_core.bootstrap.telemetry import log_as_configured
from rag_core.settings import Settings


def serve(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM; returns when what was under way has ended."""
    _log(settings)
    if settings.workers == 1:
        uvicorn.Server(_config(settings, None)).run()
        return
    with TemporaryDirectory(prefix="rag-metrics-") as folder:
        config = _config(settings, Path(folder))
        Multiprocess(config, [config.bind_socket()]).run()


def _config(settings: Settings, metrics_folder: Path | None) -> uvicorn.Config:
    return uvicorn.Config(
        partial(_app, settings, metrics_folder),
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


def _app(settings: Settings, metrics_folder: Path | None) -> Starlette:
    """The application of a worker, in a process that knows nothing yet."""
    _log(settings)
    return create_app(settings, metrics_folder=metrics_folder)


def _log(settings: Settings) -> None:
    log_as_configured(settings)
    logging.getLogger("uvicorn.error").setLevel(logging.INFO)  # where it listens, if nothing else
