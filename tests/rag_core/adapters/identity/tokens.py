"""Bearer tokens made by hand, and what believes or refuses them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from rag_core.access import Credential
from rag_core.adapters.identity import BearerTokens, open_signing_keys
from rag_core.clock import ManualClock, SystemClock
from rag_core.domain import UserId
from rag_core.errors import InvalidCredential
from rag_core.events import ignore
from tests.rag_core.adapters.identity.provider import AUDIENCE, ISSUER, IdentityProvider

SECRET = b"a secret of thirty-two bytes or so"
RUTH = Credential(UserId("ruth"))


@asynccontextmanager
async def taking(
    clock: ManualClock, provider: IdentityProvider | None = None, *, secret: bytes | None = SECRET
) -> AsyncIterator[BearerTokens]:
    def tokens(signing_keys: Any) -> BearerTokens:
        return BearerTokens(
            audience=AUDIENCE, issuer=ISSUER, secret=secret, signing_keys=signing_keys, clock=clock
        )

    if provider is None:
        yield tokens(None)
        return
    opened = open_signing_keys(
        provider.url, clock=clock, refresh_clock=SystemClock(), listener=ignore
    )
    async with opened as keys:
        yield tokens(keys)


def hs256(said: Any, secret: bytes = SECRET, **more: Any) -> str:
    """Signed whatever it says; PyJWT would not."""
    header = {"alg": "HS256", **more}
    body = raw(header, said).rpartition(".")[0]
    return raw(header, said, hmac.digest(secret, body.encode(), hashlib.sha256))


def raw(header: Any, payload: Any, signature: bytes = b"") -> str:
    parts = (json.dumps(header).encode(), json.dumps(payload).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts)


async def refused(verify: BearerTokens, token: str, because: str = "") -> None:
    with pytest.raises(InvalidCredential, match=because or None):
        await verify(token)
