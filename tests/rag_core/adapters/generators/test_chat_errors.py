"""The table of foreign errors is complete."""

from __future__ import annotations

import inspect
import json

import httpx2
import pytest
from huggingface_hub import errors as hub_errors

from rag_core.adapters.generators.chat_errors import FOREIGN_ERRORS, translate, translated
from rag_core.errors import (
    ConfigurationError,
    ProviderMisbehaved,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
    RagError,
)


def errors_of(module: object) -> list[type[Exception]]:
    return [
        kind
        for _, kind in inspect.getmembers(module, inspect.isclass)
        if issubclass(kind, Exception)
    ]


RESPONSE = httpx2.Response(418, request=httpx2.Request("POST", "http://provider"))


def made(kind: type[Exception]) -> Exception:
    """An instance of `kind`, whatever its constructor wants."""
    if issubclass(kind, hub_errors.HfHubHTTPError):
        return kind("no", response=RESPONSE)
    if issubclass(kind, httpx2.HTTPStatusError):
        return kind("no", request=RESPONSE.request, response=RESPONSE)
    if kind is json.JSONDecodeError:
        return json.JSONDecodeError("no", "doc", 0)
    try:
        return kind("no")
    except TypeError:
        return kind()


INFERENCE_ERRORS = [
    kind
    for kind in errors_of(hub_errors)
    if issubclass(kind, hub_errors.TextGenerationError | hub_errors.InferenceTimeoutError)
    or kind in (hub_errors.HfHubHTTPError, hub_errors.BadRequestError)
    or kind is hub_errors.OfflineModeIsEnabled
]


def test_every_error_of_the_client_and_of_http_has_a_row() -> None:
    for kind in [*errors_of(httpx2), *INFERENCE_ERRORS, json.JSONDecodeError]:
        error = made(kind)

        assert isinstance(error, FOREIGN_ERRORS)
        assert isinstance(translate(error), RagError)


def test_the_lists_that_the_completeness_rests_on_are_not_empty() -> None:
    assert len(errors_of(httpx2)) > 20
    assert len(INFERENCE_ERRORS) >= 9


def test_a_specific_row_comes_before_a_general_one() -> None:
    for error, ours in [
        (hub_errors.InferenceTimeoutError("no"), ProviderTimeout),
        (httpx2.ReadTimeout("no"), ProviderTimeout),
        (httpx2.ConnectError("no"), ProviderUnavailable),
        (httpx2.RemoteProtocolError("no"), ProviderUnavailable),
        (hub_errors.OverloadedError("no"), ProviderUnavailable),
        (hub_errors.ValidationError("no"), ProviderRejected),
        (hub_errors.UnknownError("no"), ProviderMisbehaved),
        (hub_errors.GenerationError("no"), ProviderMisbehaved),
        (json.JSONDecodeError("no", "doc", 0), ProviderMisbehaved),
        (httpx2.DecodingError("no"), ProviderMisbehaved),
        (httpx2.UnsupportedProtocol("no"), ConfigurationError),
        (hub_errors.OfflineModeIsEnabled("no"), ConfigurationError),
    ]:
        assert type(translate(error)) is ours


def test_other_errors_pass_untouched() -> None:
    with pytest.raises(ZeroDivisionError), translated():
        raise ZeroDivisionError
