"""The ASGI application: routes, what stands around them, and the parts behind them."""

from __future__ import annotations

from pathlib import Path
from typing import Unpack

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.routing import Route

from rag_core.app.authentication import Authentication
from rag_core.app.body import BodyLimits
from rag_core.app.contract import openapi
from rag_core.app.credential import Authenticator
from rag_core.app.documents import DOCUMENTS, DocumentRoutes, upload_bytes
from rag_core.app.feedback import FeedbackRoute
from rag_core.app.health import ReadyRoute, live
from rag_core.app.imports import ImportRoutes
from rag_core.app.lifespan import Start, running
from rag_core.app.metrics import MetricsRoute
from rag_core.app.notes import NoteRoutes
from rag_core.app.options import OptionsRoute
from rag_core.app.page_routes import FOLDER, page
from rag_core.app.problems import Problems, tell_http_error, tell_unforeseen
from rag_core.app.query import QueryRoute, Questions
from rag_core.app.rate_limit import LimitsRoute, RateLimiting
from rag_core.app.reload import Read
from rag_core.app.request_context import RequestContext, RoutePatterns
from rag_core.app.service import Service
from rag_core.app.sessions import SessionRoutes
from rag_core.app.shedding import Shedding
from rag_core.app.stats import StatsRoute
from rag_core.bootstrap import Overrides
from rag_core.settings import Settings

CORS_MAX_AGE_S = 600
"""Seconds for which a browser believes what it was told of CORS; Starlette's."""


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
    service = Service(settings, overrides.get("clock"))
    routes = _routes(service)
    start = Start(
        authenticator=authenticator,
        read=read,
        metrics_folder=metrics_folder,
        overrides=overrides,
    )
    app = Starlette(
        routes=routes,
        middleware=_middleware(service, RoutePatterns(routes)),
        exception_handlers={HTTPException: tell_http_error, Exception: tell_unforeseen},
        lifespan=lambda app: running(service, start),
    )
    app.router.redirect_slashes = False
    app.state.service = service
    return app


def _routes(service: Service) -> list[Route]:
    """What is asked most comes first."""
    notes, sessions = NoteRoutes(service), SessionRoutes(service)
    documents = DocumentRoutes(service)
    return [
        Route("/assistant/query", QueryRoute(service), methods=["POST"]),
        Route("/assistant/limits", LimitsRoute(service), methods=["GET"]),
        Route("/assistant/options", OptionsRoute(service).read),
        Route("/assistant/stats", StatsRoute(service).read),
        Route("/notes", notes.list),
        Route("/notes/{id:path}", notes.read),
        Route("/notes/{id:path}", notes.write, methods=["PUT"]),
        Route("/notes/{id:path}", notes.delete, methods=["DELETE"]),
        Route("/sessions", sessions.list, methods=["GET"]),
        Route("/sessions", sessions.begin, methods=["POST"]),
        Route("/sessions/{id}", sessions.read, methods=["GET"]),
        Route("/sessions/{id}", sessions.delete, methods=["DELETE"]),
        Route("/sessions/{id}/reset", sessions.reset, methods=["POST"]),
        Route(DOCUMENTS, documents.list),
        Route(DOCUMENTS, documents.add, methods=["POST"]),
        Route(f"{DOCUMENTS}/{{id}}", documents.read),
        Route(f"{DOCUMENTS}/{{id}}", documents.revise, methods=["PUT"]),
        Route(f"{DOCUMENTS}/{{id}}", documents.delete, methods=["DELETE"]),
        Route(f"{DOCUMENTS}/{{id}}/versions", documents.versions),
        Route(f"{DOCUMENTS}/{{id}}/restore", documents.restore, methods=["POST"]),
        Route(f"{DOCUMENTS}/{{id}}/tags", documents.tag, methods=["PUT"]),
        Route("/imports/{id}", ImportRoutes(service).read),
        Route("/feedback", FeedbackRoute(service).give, methods=["POST"]),
        Route("/health/live", live),
        Route("/health/ready", ReadyRoute(service).read),
        Route("/metrics", MetricsRoute(service), methods=["GET"]),
        Route("/openapi.json", openapi),
        *([Route("/", page), Route(FOLDER + "{file}", page)] if service.settings.page else ()),
    ]


def _middleware(service: Service, patterns: RoutePatterns) -> list[Middleware]:
    """What stands around the routes, outermost first: each sees what those before it let in."""
    settings = service.settings
    cors = Middleware(
        CORSMiddleware,
        allow_origins=settings.cors_origins,
        allow_methods=["GET", "POST", "PUT", "DELETE"],
        allow_headers=[
            *("Authorization", "Content-Type", "If-Match", "If-None-Match", "Traceparent"),
            *("X-API-Key", "X-Provider-Key", "X-Request-ID"),
        ],
        expose_headers=[
            *("ETag", "Location", "RateLimit", "RateLimit-Policy", "Retry-After"),
            *("Server-Timing", "X-Request-ID"),
        ],
        max_age=CORS_MAX_AGE_S,
    )
    return [
        Middleware(RequestContext, service=service, routes=patterns),  # names all that follows
        *([cors] if settings.cors_origins else ()),  # so that a page can read a refusal, too
        Middleware(Problems, service=service),  # so that every refusal is told in one way
        Middleware(
            BodyLimits,
            most_bytes=settings.body_bytes,
            timeout_s=settings.body_timeout_s,
            most_bytes_below={DOCUMENTS: upload_bytes(settings)},
        ),
        Middleware(Authentication, service=service),
        Middleware(Shedding, service=service),  # before Redis is asked: it costs nothing
        Middleware(RateLimiting, service=service),
        Middleware(Questions, route=QueryRoute(service)),
    ]
