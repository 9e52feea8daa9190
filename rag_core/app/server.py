"""The server: one process, or several that share a port."""

from __future__ import annotations

import math
from functools import partial

import uvicorn
from uvicorn.supervisors import Multiprocess

from rag_core.app.application import create_app
from rag_core.settings import Settings


def serve(settings: Settings) -> None:
    """Serve until SIGINT or SIGTERM; returns when what was under way has ended."""
    config = uvicorn.Config(
        partial(create_app, settings),
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
        Multiprocess(config, [config.bind_socket()]).run()
