"""Each request's id and trace, in and out, and the events of its beginning and its end."""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable

from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from rag_core.app.headers import Pairs, header
from rag_core.app.service import Service
from rag_core.correlation import REQUEST_ID, TRACE_PARENT
from rag_core.events import RequestServed, RequestStarted

CLIENT_GONE = 499
"""The status of a request whose client did not wait for its end; nginx's, in no standard."""


class ClientGone(Exception):
    """The client hung up: nobody is left to be told anything."""


INTERNAL = "internal"
"""The code of what nobody foresaw, which is told outside of this context."""

_ID = re.compile(rb"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_TRACE_PARENT = re.compile(
    rb"(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}"
)


class RoutePatterns:
    """The patterns of the routes, by the paths that they match."""

    def __init__(self, routes: Iterable[Route]) -> None:
        patterns = [route.path for route in routes]
        self._whole = {path: path for path in patterns if "{" not in path}
        self._prefixes = [(path.partition("{")[0], path) for path in patterns if "{" in path]

    def of(self, path: str) -> str:
        """The pattern of the route that `path` matches; empty where none does."""
        if found := self._whole.get(path):
            return found
        for prefix, pattern in self._prefixes:
            if path.startswith(prefix):
                return pattern.replace(":path", "")
        return ""


class RequestContext:
    """Binds what is called within to the request's id and trace, and tells how it ended."""

    def __init__(self, app: ASGIApp, service: Service, routes: RoutePatterns) -> None:
        self._app, self._service, self._routes = app, service, routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; what is no HTTP passes."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        given, trace = header(scope["headers"], b"x-request-id"), trace_parent(scope)
        request_id = given.decode() if _ID.fullmatch(given) else secrets.token_hex(16)
        tokens = REQUEST_ID.set(request_id), TRACE_PARENT.set(trace)
        exchange = Exchange(send, request_id, trace)
        scope.setdefault("state", {})["exchange"] = exchange
        began, route = self._service.clock.monotonic(), self._routes.of(scope["path"])
        listener = self._service.application.listener
        listener(RequestStarted(route))
        self._service.begun()
        try:
            await self._app(scope, receive, exchange.send)
        except ClientGone:
            exchange.status = CLIENT_GONE
        finally:
            self._service.ended()
            elapsed_ms = (self._service.clock.monotonic() - began) * 1000
            status, untold = exchange.status, "" if exchange.started else INTERNAL
            error = "" if status == CLIENT_GONE else exchange.error or untold
            listener(RequestServed(route, scope["method"], status, elapsed_ms, error))
            REQUEST_ID.reset(tokens[0])
            TRACE_PARENT.reset(tokens[1])


class Exchange:
    """Sends a response under its request's id, and remembers how it went."""

    __slots__ = ("_send", "added", "error", "request_id", "started", "status", "trace")

    def __init__(self, send: Send, request_id: str, trace: str) -> None:
        self._send = send
        self.request_id, self.trace = request_id, trace
        self.started = False
        """Whether the client has been sent anything."""
        self.status = 500
        """Of the response; 500 before there is one."""
        self.added: Pairs = []
        """Headers that whatever is answered carries besides."""
        self.error = ""
        """The code of the problem that was told."""

    @property
    def headers(self) -> Pairs:
        """What every response carries."""
        headers = [*self.added, (b"x-request-id", self.request_id.encode())]
        if self.trace:
            headers.append((b"traceparent", self.trace.encode()))
        return headers

    async def send(self, message: Message) -> None:
        """Hand on a message, the first with the request's id."""
        if not self.started:
            self.started = True
            self.status = message["status"]
            message["headers"] = [*message.get("headers", ()), *self.headers]
        await self._send(message)


def exchange_of(scope: Scope) -> Exchange:
    """The exchange that a request is served in."""
    exchange: Exchange = scope["state"]["exchange"]
    return exchange


def trace_parent(scope: Scope) -> str:
    """The request's `traceparent` if it is one by W3C Trace Context, else empty."""
    given = header(scope["headers"], b"traceparent")
    return given.decode() if _TRACE_PARENT.fullmatch(given) else ""
