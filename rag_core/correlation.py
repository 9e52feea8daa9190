"""What names the request that something happens for: its id, its trace, its secret."""

from __future__ import annotations

import re
from contextvars import ContextVar
from hashlib import blake2b

TRACE_PARENT: ContextVar[str] = ContextVar("trace_parent", default="")
"""The `traceparent` (W3C Trace Context) that a request brought, if it was a valid one."""

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
"""Id of the request within which an event is emitted; empty outside of any request."""

_TRACE_ID = re.compile(r"(?!0{32})[0-9a-f]{32}")

PRIVATE_TEXT: ContextVar[str] = ContextVar("private_text", default="")
"""The question of the request; no log line may hold it."""

PRIVATE_KEY: ContextVar[str] = ContextVar("private_key", default="")
"""The key of a provider that came with the request; no log line may hold it."""


def trace_id() -> str:
    """32 hex digits that name the request's trace: those of its `traceparent`, if it brought one.

    Else they follow from the request's id, and are it where it looks like one; outside of any
    request there is none.
    """
    return trace_id_of(TRACE_PARENT.get(), REQUEST_ID.get())


def trace_id_of(parent: str, request: str) -> str:
    """As `trace_id`, for the request of that `traceparent` and that id."""
    if parent:
        return parent[3:35]
    if not request or _TRACE_ID.fullmatch(request):
        return request
    return blake2b(request.encode(), digest_size=16).hexdigest()
