"""What a question may say of how its answer is written; GET /assistant/options tells what."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Scope

from rag_core.app.authentication import user_of
from rag_core.app.response import Json
from rag_core.app.service import Service
from rag_core.correlation import PRIVATE_KEY
from rag_core.domain.options import AS_CONFIGURED, KEY_FIELD, Options
from rag_core.errors import InvalidInput, ProviderRejected
from rag_core.providers import MAX_TEMPERATURE, MIN_TOKENS, Writer

_KEY = KEY_FIELD.lower().encode()
_NOT_LET_IN = (401, 403)


class OptionsBody(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How an answer is to be written; what is left out is as it is configured."""

    provider: str | None = None
    temperature: float | None = None
    max_tokens: int | None = None


class ChoiceList(msgspec.Struct, frozen=True):
    """What may be chosen: names and bounds, nothing of where or how a provider is reached."""

    allowed: bool
    providers: tuple[Writer, ...]
    max_temperature: float
    min_tokens: int
    max_tokens: int
    own_key: bool


class OptionsRoute:
    """Tells what a question may choose."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def read(self, request: Request) -> Response:
        """What whoever asks may choose."""
        choices = self._service.application.rollout.choices(user_of(request.scope))
        allowed = bool(choices.writers)
        body = ChoiceList(
            allowed,
            choices.writers,
            MAX_TEMPERATURE,
            MIN_TOKENS,
            choices.max_tokens,
            allowed and choices.own_keys,
        )
        return Json(body, headers={"cache-control": "no-store"})


def options_of(scope: Scope, body: OptionsBody | None) -> Options:
    """What the request chooses, by its body and by the header with a key; not checked yet."""
    # An empty one is no key either, and whoever sent it meant something.
    key = next((value.decode("latin-1") for name, value in scope["headers"] if name == _KEY), None)
    if body is None and key is None:
        return AS_CONFIGURED
    chosen = body or OptionsBody()
    return Options(
        provider=chosen.provider,
        temperature=chosen.temperature,
        max_tokens=chosen.max_tokens,
        key=key,
    )


@contextmanager
def own_key(key: str | None) -> Iterator[None]:
    """No log line of the block will hold the key; where it does not hold, its owner is told.

    Raises:
        InvalidInput: the provider does not let it in.
    """
    if key is None:
        yield
        return
    bound = PRIVATE_KEY.set(key)
    try:
        yield
    except ProviderRejected as error:
        if error.status in _NOT_LET_IN:  # without its cause: that one may quote the key
            fix = "Check it with the provider that you chose"
            raise InvalidInput(KEY_FIELD, "is not accepted by the provider", fix) from None
        raise
    finally:
        PRIVATE_KEY.reset(bound)
