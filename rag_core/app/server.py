"""The server: one process, or several that share a port."""

from __future__ import annotations

import logging
import math
import signal
from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from types import FrameType

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.config import STARTUP_FAILURE

from rag_core.app.application import create_app
from rag_core.app.protocol import LimitedProtocol
from rag_core.app.service import Service
from rag_core.app.workers import Workers, end_with_supervisor
from rag_core.bootstrap import log_as_configured
from rag_core.settings import Settings, load_settings

PATIENCE_S = 30
"""Seconds within which a worker answers its supervisor, or is replaced: one that is starting on a
busy machine, where importing alone may take more than uvicorn's own five, does not answer yet."""


def serve(settings: Settings, env_file: Path | None = None) -> None:
    """Serve until SIGINT or SIGTERM; returns when what was under way has ended.

    Args:
        env_file: where the settings came from; on SIGHUP the canary is read from it again.

    Raises:
        RagError: what kept a single process from starting.
        SystemExit: a worker of several could not start; its log says why.
    """
    _log(settings)
    if settings.workers == 1:
        serve_alone(server_config(settings, partial(startable, settings, env_file)))
        return
    with TemporaryDirectory(prefix="rag-metrics-") as folder:
        worker = partial(startable, settings, env_file, Path(folder))
        config = server_config(settings, worker)
        workers = Workers(config, [config.bind_socket()])
        workers.run()
    if workers.failed:
        raise SystemExit(STARTUP_FAILURE)  # the logs say why


def server_config(settings: Settings, startable: Callable[[], Startable]) -> uvicorn.Config:
    """How uvicorn serves what `startable` makes."""
    return uvicorn.Config(
        startable,
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        http=LimitedProtocol,
        lifespan="on",
        ws="none",
        log_config=None,  # its messages are lines like all others
        access_log=False,  # RequestServed says it
        proxy_headers=False,  # nothing depends on where a request comes from
        server_header=False,
        timeout_keep_alive=settings.keep_alive_s,
        timeout_graceful_shutdown=math.ceil(settings.shutdown_s),
        timeout_worker_healthcheck=PATIENCE_S,
    )


def serve_alone(config: uvicorn.Config) -> None:
    """Serve in this process, until it is told to stop.

    Raises:
        RagError: what kept it from starting.
    """
    signal.signal(signal.SIGTERM, _heard)
    try:
        uvicorn.Server(config).run()
    except SystemExit:
        startable = config.loaded_app
        if isinstance(startable, Startable) and (failure := startable.service.failure):
            raise failure from None
        raise
    except KeyboardInterrupt:
        return  # the server has stopped, and says by which signal


def _heard(number: int, frame: FrameType | None) -> None:
    """uvicorn stops at a signal, and then sends it again: who called it has to clean up, too."""


class Startable:
    """The application, whose failure to start is one line and no traceback.

    Nor is it one where somebody tells it twice to stop, and the second time means it.
    """

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self._app, self.service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve, or start and stop."""
        if scope["type"] == "lifespan":
            send = partial(self._told, send)
        await self._app(scope, receive, send)

    async def _told(self, send: Send, message: Message) -> None:
        failure = self.service.failure
        if failure and message["type"] == "lifespan.startup.failed":
            alone = self.service.settings.workers == 1  # then the command says it
            message = {"type": message["type"], "message": "" if alone else str(failure)}
        if message.get("message", "").rstrip().endswith("CancelledError"):
            message = {"type": message["type"], "message": "stopped at once"}
        await send(message)


def startable(
    settings: Settings, env_file: Path | None = None, metrics_folder: Path | None = None
) -> Startable:
    """The application of a worker, in a process that knows nothing yet."""
    _log(settings)
    end_with_supervisor()
    read = None
    if env_file:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)  # until the application hears it
        read = partial(load_settings, env_file)
    app = create_app(settings, read=read, metrics_folder=metrics_folder)
    return Startable(app, app.state.service)


def _log(settings: Settings) -> None:
    log_as_configured(settings)
    logging.getLogger("uvicorn.error").setLevel(logging.INFO)  # where it listens, if nothing else
