"""The keys that an identity provider signs with, kept as they are rotated.

Three rules:

1. They are fetched when the app starts and every `REFRESH_S`, beside the requests. Where that
   fails, the last ones go on for `BELIEVED_S` from when they were fetched.
2. A token that names a key we do not have makes us fetch again, and waits for that, but no more
   than one fetch begins in `RETRY_S`: made-up names cost the provider nothing.
3. What a token says of where its key is to be found (`jku`, `jwk`, `x5u`) is never read.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from contextvars import Context
from functools import partial

import httpx2

from rag_core.adapters.identity.key_set import SigningKey, read_key_set
from rag_core.cancelling import cancel_for_good
from rag_core.clock import Clock, recurring
from rag_core.errors import Unavailable
from rag_core.events import Listener, SigningKeysFetched

REFRESH_S = 300.0
"""Seconds between two fetches that nobody asked for: so long a withdrawn key goes on."""

RETRY_S = 10.0
"""Seconds from the beginning of one fetch to the next at least."""

BELIEVED_S = 86_400.0
"""Seconds for which the last keys go on while no others can be fetched."""

FETCH_TIMEOUT_S = 5.0
MAX_SET_BYTES = 1_000_000
"""A key set is a few thousand bytes; this is no key set."""

FetchKeySet = Callable[[], Awaitable[bytes]]
"""Fetches the key set.

Raises:
    Unavailable: it could not be.
"""


class SigningKeys:
    """The provider's keys by their ids."""

    def __init__(self, fetch: FetchKeySet, *, clock: Clock, listener: Listener) -> None:
        self._fetch, self._clock, self._listener = fetch, clock, listener
        self._keys: Mapping[str, SigningKey] = {}
        self._fetched_at = self._asked_at = float("-inf")
        self._fetching: asyncio.Task[None] | None = None

    async def find(self, key_id: str) -> SigningKey | None:
        """The key of that id; None where the provider has none.

        Raises:
            Unavailable: no keys could be fetched for too long.
        """
        if key_id not in self._known():
            await self.refresh()
        if not (known := self._known()):
            raise Unavailable(
                "the identity provider's keys cannot be fetched",
                "Check RAG_JWT_JWKS_URL",
                retry_after_s=RETRY_S,
            )
        return known.get(key_id)

    async def refresh(self) -> None:
        """Fetch the keys, unless that began less than `RETRY_S` ago; who comes meanwhile waits."""
        if self._fetching is None:
            now = self._clock.monotonic()
            if now - self._asked_at < RETRY_S:
                return
            self._asked_at = now
            self._fetching = asyncio.create_task(self._fetch_keys(now), context=Context())
        await asyncio.shield(self._fetching)

    @asynccontextmanager
    async def refreshed(self, clock: Clock) -> AsyncIterator[SigningKeys]:
        """Fetch now and every `REFRESH_S` of `clock`, while the block runs."""
        try:
            async with recurring("signing keys are fetched", self.refresh, REFRESH_S, clock):
                yield self
        finally:
            if fetching := self._fetching:
                await cancel_for_good(fetching)

    def _known(self) -> Mapping[str, SigningKey]:
        return self._keys if self._clock.monotonic() - self._fetched_at < BELIEVED_S else {}

    async def _fetch_keys(self, now: float) -> None:
        outcome = "ok"
        try:
            self._keys, self._fetched_at = read_key_set(await self._fetch()), now
        except Unavailable as error:
            outcome = str(error)
        finally:
            self._fetching = None
        elapsed_ms = (self._clock.monotonic() - now) * 1000
        self._listener(SigningKeysFetched(outcome, len(self._keys), elapsed_ms))


@asynccontextmanager
async def open_signing_keys(
    url: str, *, clock: Clock, refresh_clock: Clock, listener: Listener
) -> AsyncIterator[SigningKeys]:
    """The keys of the set at `url`, refreshed by `refresh_clock` while in use."""
    async with httpx2.AsyncClient(timeout=FETCH_TIMEOUT_S, follow_redirects=False) as client:
        keys = SigningKeys(partial(_fetched, client, url), clock=clock, listener=listener)
        async with keys.refreshed(refresh_clock):
            yield keys


async def _fetched(client: httpx2.AsyncClient, url: str) -> bytes:
    """What the URL, which may hold a secret and is not quoted, answers.

    Raises:
        Unavailable: no answer, another status than 200, or too much.
    """
    content = b""
    try:
        async with (
            asyncio.timeout(FETCH_TIMEOUT_S),
            client.stream("GET", url, headers={"accept": "application/json"}) as response,
        ):
            if response.status_code != 200:
                raise Unavailable(f"RAG_JWT_JWKS_URL answered {response.status_code}")
            async for piece in response.aiter_bytes():
                content += piece
                if len(content) > MAX_SET_BYTES:
                    raise Unavailable("RAG_JWT_JWKS_URL answered more than any key set is")
    except TimeoutError:
        raise Unavailable("RAG_JWT_JWKS_URL did not answer in time") from None
    except httpx2.HTTPError as error:
        raise Unavailable(f"RAG_JWT_JWKS_URL failed: {type(error).__name__}") from None
    return content
