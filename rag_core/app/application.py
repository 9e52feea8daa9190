"""The ASGI application: routes, what stands around them, and the parts behind them."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from pathlib import Path
from typing import Unpack

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.routing import Route

from rag_core.app.authentication import Authentication
from rag_core.app.body import BodyLimits
from rag_core.app.credential import Authenticator
from rag_core.app.health import live
from rag_core.app.metrics import MetricsRoute
from rag_core.app.problems import Problems, tell_http_error, tell_unforeseen
from rag_core.app.query import QueryRoute
from rag_core.app.rate_limit import LimitsRoute, RateLimiting
from rag_core.app.reload import Read, reloading, with_canary_of
from rag_core.app.request_context import RequestContext, RoutePatterns
from rag_core.app.service import Service
from rag_core.app.shedding import Shedding
from rag_core.bootstrap import Overrides, assemble, open_authenticator, open_telemetry
from rag_core.events import fan_out
from rag_core.settings import Settings


def create_app(
    settings: Settings,
    *,
    authenticator: Authenticator | None = None,
    read: Read | None = None,
    metrics_folder: Path | None = None,
    **overrides: Unpack[Overrides],
) -> Starlette:
    """The application that `settings` describe; its parts are assembled when a server starts it.

    Args:
        authenticator: tells who asks, in place of API keys and tokens.
        read: reads the settings again, for their canary: at the start, and on each SIGHUP.
        metrics_folder: where all workers of a server count together; None for one alone.
    """
    service = Service(settings)
    own = [overrides["listener"]] if "listener" in overrides else []
    routes = [
        Route("/assistant/query", QueryRoute(service), methods=["POST"]),
        Route("/assistant/limits", LimitsRoute(service), methods=["GET"]),
        Route("/health/live", live),
        Route("/metrics", MetricsRoute(service), methods=["GET"]),
    ]

    @asynccontextmanager
    async def running(app: Starlette) -> AsyncIterator[None]:
        latest = with_canary_of(settings, read()) if read else settings
        async with open_telemetry(settings, shared=metrics_folder) as service.telemetry:
            overrides["listener"] = fan_out(service.telemetry.listener, *own)
            async with (
                assemble(latest, **overrides) as service.application,
                _who_asks(service, authenticator, overrides) as service.authenticate,
                reloading(service.application.rollout, read),
            ):
                yield
            yield

    return Starlette(
        routes=routes,
        middleware=_middleware(service, RoutePatterns(routes)),
        exception_handlers={HTTPException: tell_http_error, Exception: tell_unforeseen},
        lifespan=running,
    )


def _who_asks(
    service: Service, given: Authenticator | None, overrides: Overrides
) -> AbstractAsyncContextManager[Authenticator]:
    if given:
        return nullcontext(given)
    return open_authenticator(
        service.settings,
        service.application.database,
        clock=overrides.get("clock"),
        listener=service.application.listener,
    )


def _middleware(service: Service, patterns: RoutePatterns) -> list[Middleware]:
    """What stands around the routes, outermost first: each sees what those before it let in."""
    settings = service.settings
    return [
        Middleware(RequestContext, service=service, routes=patterns),  # names all that follows
        Middleware(Problems),  # so that every refusal below is told in one way
        Middleware(BodyLimits, most_bytes=settings.body_bytes, timeout_s=settings.body_timeout_s),
        Middleware(Authentication, service=service),
        Middleware(Shedding, service=service),  # before Redis is asked: it costs nothing
        Middleware(RateLimiting, service=service),
    ]
