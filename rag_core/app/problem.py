"""Problems: what an error is over HTTP (RFC 9457); nothing of our inside is told."""

from __future__ import annotations

import asyncio
import math
from dataclasses import dataclass

import msgspec
from starlette.exceptions import HTTPException

from rag_core import errors
from rag_core.correlation import trace_id_of

MEDIA_TYPE = b"application/problem+json"
RETRY_AFTER_S = 1.0
"""When to come back where the error does not say; the breaker of Postgres is open for so long."""


class Problem(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """The body of an error; `code` is for programs, `detail` for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    retryable: bool
    """Whether the same request may succeed later."""
    request_id: str
    trace_id: str
    """Of the trace that the request belongs to, as logs and spans have it."""
    field: str = ""
    """What of the request is wrong."""
    fix: str = ""
    retry_after_s: int = 0
    """Seconds, in the header Retry-After, too; 0 where it is not known, or of no use."""


@dataclass(frozen=True, slots=True)
class Kind:
    """What a class of errors is over HTTP; without a `detail` the error's own words are shown."""

    status: int
    code: str
    title: str
    detail: str = ""
    retryable: bool = False


_LATER = "Try again later; the trouble is on our side."

KINDS: dict[type[BaseException], Kind] = {
    errors.InvalidInput: Kind(422, "invalid_input", "The request cannot be used"),
    errors.NotFound: Kind(404, "not_found", "There is nothing here"),
    errors.Unauthenticated: Kind(401, "unauthenticated", "It is not known who asks"),
    errors.InvalidCredential: Kind(401, "invalid_credential", "The credential is not believed"),
    errors.PreconditionFailed: Kind(412, "precondition_failed", "Another change came first"),
    errors.RateLimitExceeded: Kind(429, "rate_limited", "Asked too often", retryable=True),
    errors.Unavailable: Kind(503, "unavailable", "A part is away", _LATER, retryable=True),
    errors.Overloaded: Kind(503, "overloaded", "Too many ask at once", _LATER, retryable=True),
    errors.DeadlineExceeded: Kind(
        504, "deadline_exceeded", "It took too long", _LATER, retryable=True
    ),
    errors.ProviderUnavailable: Kind(
        503, "provider_unavailable", "The AI service is away", _LATER, retryable=True
    ),
    errors.BudgetExhausted: Kind(
        *(503, "budget_exhausted", "The day's budget is spent"),
        "The budget of the day for the AI service is spent; it is renewed at midnight, UTC.",
        retryable=True,
    ),
    errors.ProviderError: Kind(
        502, "provider_error", "The AI service gave no usable answer", _LATER
    ),
    asyncio.CancelledError: Kind(
        503,
        "stopping",
        "The server is stopping",
        "Try again; another one takes over.",
        retryable=True,
    ),
    errors.RagError: Kind(500, "internal", "Something broke", _LATER),
}
"""By class; one that is not here is what its nearest base is."""

HTTP_KINDS = {
    400: Kind(400, "malformed", "The request cannot be read"),
    404: Kind(404, "not_found", "There is nothing here", "No such path; see /openapi.json."),
    405: Kind(405, "method_not_allowed", "Not this method", "The header Allow names those."),
    408: Kind(408, "request_timeout", "The request came too slowly", retryable=True),
    413: Kind(413, "body_too_large", "The request is too large"),
    415: Kind(415, "unsupported_media_type", "Not this kind of body"),
}
INTERNAL = KINDS[errors.RagError]


def kind_of(error: BaseException) -> Kind:
    """What an error is over HTTP; of one that nobody foresaw nothing is told."""
    if isinstance(error, HTTPException):
        return HTTP_KINDS.get(error.status_code, INTERNAL)
    return next((KINDS[each] for each in type(error).__mro__ if each in KINDS), INTERNAL)


def problem_of(error: BaseException, request_id: str, trace: str) -> Problem:
    """The body that tells of `error`.

    Args:
        trace: the request's `traceparent`, if it brought one.
    """
    kind = kind_of(error)
    own_words = error.detail if isinstance(error, HTTPException) else _words_of(error)
    return Problem(
        type=f"urn:rag-core:problem:{kind.code.replace('_', '-')}",
        title=kind.title,
        status=kind.status,
        detail=kind.detail or own_words,
        code=kind.code,
        retryable=kind.retryable,
        request_id=request_id,
        trace_id=trace_id_of(trace, request_id),
        field=error.field if isinstance(error, errors.InvalidInput) else "",
        fix=getattr(error, "fix", "") if not kind.detail else "",
        retry_after_s=_retry_after_s(error) if kind.retryable else 0,
    )


def problem_headers(error: BaseException, problem: Problem) -> list[tuple[bytes, bytes]]:
    """The headers that go with a problem, beside its type and length."""
    headers = [(b"cache-control", b"no-store")]
    if problem.retry_after_s:
        headers.append((b"retry-after", str(problem.retry_after_s).encode()))
    if isinstance(error, errors.Unauthenticated):
        headers.append((b"www-authenticate", _challenge(error)))
    if isinstance(error, HTTPException) and error.headers:
        given = error.headers.items()
        headers += [(name.lower().encode(), value.encode()) for name, value in given]
    return headers


def _challenge(error: errors.Unauthenticated) -> bytes:
    """How to come back (RFC 6750, section 3); why the last one was refused, where one came."""
    if not isinstance(error, errors.InvalidCredential):
        return b'Bearer realm="rag_core"'
    why = str(error).replace('"', "'").encode("ascii", "replace")
    return b'Bearer realm="rag_core", error="invalid_token", error_description="%b"' % why


def _words_of(error: BaseException) -> str:
    """What an error says for itself, without its fix, which has a field of its own."""
    return str(getattr(error, "problem", "") or error)


def _retry_after_s(error: BaseException) -> int:
    seconds = getattr(error, "retry_after_s", None)
    return math.ceil(RETRY_AFTER_S if seconds is None else max(seconds, RETRY_AFTER_S))
