"""What huggingface_hub and its HTTP client raise, in our own words: one table."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Container, Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from http import HTTPStatus

import httpx2
from huggingface_hub.errors import (
    HfHubHTTPError,
    InferenceTimeoutError,
    OfflineModeIsEnabled,
    OverloadedError,
    TextGenerationError,
    ValidationError,
)

from rag_core.domain.server_url import masked, without_secrets
from rag_core.errors import (
    ConfigurationError,
    ContextOverflow,
    ProviderLoading,
    ProviderMisbehaved,
    ProviderOutOfCredit,
    ProviderRateLimited,
    ProviderRefused,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
    RagError,
)

MAX_QUOTED_CHARACTERS = 200

_Kinds = tuple[type[Exception], ...]
_Row = tuple[_Kinds, Callable[[Exception], RagError]]

_Said = tuple[Container[int], re.Pattern[str], Callable[[str, httpx2.Response], RagError]]

_TIMEOUTS = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.GATEWAY_TIMEOUT)
_ADD_CREDIT = "The account's credit is used up: add credit, or use another"
_FIXES: dict[int, str] = {
    HTTPStatus.UNAUTHORIZED: "Check the provider's token",
    HTTPStatus.FORBIDDEN: "Give the token the right to call this model",
    HTTPStatus.NOT_FOUND: "Check the model's name and the base URL",
}


@contextmanager
def translated() -> Iterator[None]:
    """Raise as a RagError whatever the block raises and the table names; let all else pass."""
    try:
        yield
    except FOREIGN_ERRORS as error:
        raise translate(error) from error


def translate(error: Exception) -> RagError:
    """`error` in our own words, by the first row of the table that it is an instance of."""
    for kind, words in _TABLE:
        if isinstance(error, kind):
            return words(error)
    raise TypeError(f"no row for {type(error).__name__}")


def retry_after_s(response: httpx2.Response) -> float | None:
    """Seconds to wait by the Retry-After header, RFC 9110 section 10.2.3; None without one.

    A date is counted from the response's own Date, so that no clock has to agree with another.
    """
    value = response.headers.get("retry-after", "").strip()
    if value.isdigit():
        return float(value)
    try:
        until = parsedate_to_datetime(value)
        return max(0.0, (until - parsedate_to_datetime(response.headers["date"])).total_seconds())
    except (KeyError, ValueError, TypeError):  # absent or malformed: no advice
        return None


def _by_status(error: Exception) -> RagError:
    assert isinstance(error, HfHubHTTPError)  # as its row in the table says
    response = error.response
    status = response.status_code
    problem = f"the provider answered {status}"
    wait_s = retry_after_s(response)
    said = _body(response)
    for statuses, pattern, kind in _SAID:
        if status in statuses and pattern.search(said):
            return kind(problem + _reason(response), response)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return ProviderRateLimited(f"{problem}, too many requests", retry_after_s=wait_s)
    if status in _TIMEOUTS:
        return ProviderTimeout(problem, retry_after_s=wait_s)
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return ProviderUnavailable(problem, retry_after_s=wait_s)
    return ProviderRejected(problem + _reason(response), _FIXES.get(status, ""), status=status)


def _out_of_credit(problem: str, response: httpx2.Response) -> RagError:
    return ProviderOutOfCredit(problem, _ADD_CREDIT, retry_after_s=retry_after_s(response))


def _loading(problem: str, response: httpx2.Response) -> RagError:
    wait_s = retry_after_s(response)
    return ProviderLoading(
        problem, retry_after_s=_estimated_s(response) if wait_s is None else wait_s
    )


def _overflow(problem: str, response: httpx2.Response) -> RagError:
    fix = "Lower RAG_CONTEXT_TOKENS or RAG_OUTPUT_TOKENS, or name a model that reads more"
    return ContextOverflow(problem, fix, status=response.status_code)


def _refused(problem: str, response: httpx2.Response) -> RagError:
    return ProviderRefused(problem, status=response.status_code)


def _estimated_s(response: httpx2.Response) -> float | None:
    """Seconds by the body's `estimated_time`, as Hugging Face sends it; None without."""
    try:
        return max(0.0, float(response.json()["estimated_time"]))
    except (ValueError, TypeError, KeyError, httpx2.StreamError):
        return None


def _body(response: httpx2.Response) -> str:
    return response.text if response.is_closed else ""


def _reason(response: httpx2.Response) -> str:
    """What the body says is wrong, shortened, and without the token should it be quoted there."""
    if not (text := _body(response).strip()):
        return ""
    token = response.request.headers.get("authorization", "").removeprefix("Bearer ")
    text = without_secrets(" ".join(text.split()), str(response.request.url))
    text = masked(text, [token])
    return f": {text[:MAX_QUOTED_CHARACTERS]}"


def _wrong_url(error: Exception) -> RagError:
    # Not in its words: they quote the URL, and with it what may be a key.
    return ConfigurationError(
        "base_url", f"cannot be used ({type(error).__name__})", "Give one like http://host:port/v1"
    )


def _offline(error: Exception) -> RagError:
    return ConfigurationError(
        "HF_HUB_OFFLINE", "huggingface_hub is set to make no requests", "Unset it"
    )


def _rejected(error: Exception) -> RagError:
    return ProviderRejected(f"the provider refused the request: {_short(error)}")


def _timeout(error: Exception) -> RagError:
    return ProviderTimeout(f"the provider did not answer in time ({type(error).__name__})")


def _unavailable(error: Exception) -> RagError:
    return ProviderUnavailable(f"the provider cannot be reached ({type(error).__name__})")


def _misbehaved(error: Exception) -> RagError:
    return ProviderMisbehaved(f"the provider's answer makes no sense ({type(error).__name__})")


def _failed(error: Exception) -> RagError:
    return ProviderMisbehaved(f"the provider failed while answering: {_short(error)}")


def _short(error: Exception) -> str:
    return str(error)[:MAX_QUOTED_CHARACTERS]


# What a status alone does not tell, by what the body says: OpenAI's codes, the words of Hugging
# Face, vLLM and llama.cpp.
_SAID: tuple[_Said, ...] = (
    ((HTTPStatus.PAYMENT_REQUIRED,), re.compile(""), _out_of_credit),
    ((HTTPStatus.TOO_MANY_REQUESTS,), re.compile("insufficient_quota"), _out_of_credit),
    ((HTTPStatus.SERVICE_UNAVAILABLE,), re.compile(r"(?i)\bloading\b|estimated_time"), _loading),
    (
        (400, 413, 422),
        re.compile(
            r"(?i)context_length_exceeded|exceed_context_size|(maximum|available) context "
            r"(length|size)|`inputs` (tokens \+|must have less)|reduce the length of the messages"
        ),
        _overflow,
    ),
    ((400, 403), re.compile(r"content_filter|content_policy_violation"), _refused),
)

# The first row that fits counts, so what is more specific stands first.
_TABLE: tuple[_Row, ...] = (
    ((HfHubHTTPError,), _by_status),
    ((InferenceTimeoutError, httpx2.TimeoutException, TimeoutError), _timeout),
    ((OfflineModeIsEnabled,), _offline),
    ((OverloadedError,), _unavailable),
    ((ValidationError,), _rejected),
    ((TextGenerationError,), _failed),
    ((httpx2.InvalidURL, httpx2.UnsupportedProtocol), _wrong_url),
    ((httpx2.DecodingError, httpx2.TooManyRedirects, httpx2.CookieConflict), _misbehaved),
    ((httpx2.StreamError,), _misbehaved),
    ((httpx2.HTTPError,), _unavailable),
    # Bodies: not JSON, not UTF-8, or JSON of another shape.
    ((json.JSONDecodeError, UnicodeDecodeError, ValueError), _misbehaved),
    ((AttributeError, TypeError, KeyError), _misbehaved),
)

FOREIGN_ERRORS: _Kinds = tuple(kind for kinds, _ in _TABLE for kind in kinds)
"""Every type that the table names."""
