"""The server: one process, or several that share a port."""

from __future__ import annotations

import math
from functools import partial

import uvicorn
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.supervisors import Multiprocess

from rag_core.app.application import create_app
from rag_core.app.protocol import LimitedProtocol
from rag_core.app.service import Service
from rag_core.settings import Settings


def serve(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM; returns when what was under way has ended.

    Raises:
        RagError: what kept a single process from starting; several say it in their logs.
    """
    config = uvicorn.Config(
        partial(startable, settings),
        factory=True,
        host=settings.host,
        port=settings.port,
        workers=settings.workers,
        http=LimitedProtocol,
        lifespan="on",
        ws="none",
        access_log=False,  # RequestServed says it
        proxy_headers=False,  # nothing depends on where a request comes from
        server_header=False,
        timeout_graceful_shutdown=math.ceil(settings.shutdown_s),
    )
    if settings.workers == 1:
        _serve_alone(config)
    else:
        Multiprocess(config, [config.bind_socket()]).run()


def _serve_alone(config: uvicorn.Config) -> None:
    try:
        uvicorn.Server(config).run()
    except SystemExit:
        startable = config.loaded_app
        if isinstance(startable, Startable) and (failure := startable.service.failure):
            raise failure from None
        raise
    except KeyboardInterrupt:
        return  # the server has stopped, and says by which signal


class Startable:
    """The application, whose failure to start is one line and no traceback."""

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
        await send(message)


def startable(settings: Settings) -> Startable:
    """The application of a worker."""
    app = create_app(settings)
    return Startable(app, app.state.service)
