"""JSON Web Tokens (RFC 7519) as bearer tokens, checked as RFC 8725 asks.

The algorithm is the key's, never the token's: HS256 with the shared secret alone, RS256 and ES256
with the provider's public keys alone. So no public key is ever used as a secret, and `none` is
no algorithm.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jwt
from cachebox import LRUCache

from rag_core.access import Credential
from rag_core.adapters.identity.key_set import SigningKey
from rag_core.adapters.identity.signing_keys import SigningKeys
from rag_core.clock import Clock
from rag_core.domain.user import authenticated
from rag_core.errors import InvalidCredential, InvalidInput, Unauthenticated

LEEWAY_S = 30.0
"""Seconds by which the clocks of who issues tokens and who checks them may differ."""

MAX_TOKEN_BYTES = 8_192
"""Longer ones are not looked at: they would not fit into the headers of most servers."""

MAX_PLAN_CHARACTERS = 64

MAX_SEEN = 10_000
"""Number of tokens whose signature is remembered; of others it is checked again."""

LATEST_S = 1e12
"""Seconds since the Unix epoch; what is later (or NaN) is no time but a mistake."""

_OPTIONS: Any = {
    "require": ["exp", "sub", "aud"],
    "enforce_minimum_key_length": True,
    # Times are checked here, by the clock that was given.
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
}

_Claims = Mapping[str, Any]

SECRET_KEY = ""
"""What the shared secret is called beside the provider's keys, whose ids are never empty."""


@dataclass(frozen=True, slots=True)
class _Verified:
    """What a token says that `key` has signed; times in seconds since the Unix epoch."""

    key: SigningKey
    credential: Credential
    begins: float
    ends: float


class BearerTokens:
    """Says whose a token is: the user by the claim `sub`, the plan by the claim `plan`.

    The signature of a token is checked once; as long as the key that signed it is known, only the
    times are checked again. (PyJWT takes 0.2 ms for what a cached answer takes altogether.)

    Args:
        audience: whom a token must be meant for.
        issuer: who must have issued it; None: whoever holds the secret or the keys.
        secret: of HS256; None: no such token is taken.
        signing_keys: of RS256 and ES256; None: no such token is taken.
    """

    def __init__(
        self,
        *,
        audience: str,
        issuer: str | None,
        secret: bytes | None,
        signing_keys: SigningKeys | None,
        clock: Clock,
    ) -> None:
        self._audience, self._issuer = audience, issuer
        self._secret = SigningKey(SECRET_KEY, "HS256", secret) if secret else None
        self._signing_keys = signing_keys
        self._clock = clock
        self._seen: LRUCache[bytes, _Verified] = LRUCache(MAX_SEEN)

    async def __call__(self, token: str) -> Credential:
        """See `VerifyToken`.

        Raises:
            InvalidCredential: the token is not believed.
            Unavailable: the provider's keys could not be fetched for too long.
        """
        if len(token) > MAX_TOKEN_BYTES or not token.isascii():
            raise InvalidCredential("the token is malformed")
        digest = hashlib.sha256(token.encode()).digest()
        seen = self._seen.get(digest)
        if seen is None or await self._find(seen.key.id) != seen.key:
            seen = self._seen[digest] = await self._verified(token)
        now = self._clock.now()
        if now - LEEWAY_S >= seen.ends:
            raise InvalidCredential("the token has expired")
        if now + LEEWAY_S < seen.begins:
            raise InvalidCredential("the token is not valid yet")
        return seen.credential

    async def _verified(self, token: str) -> _Verified:
        try:
            key = await self._key(jwt.get_unverified_header(token))
            claims = jwt.decode(
                token,
                key.key,
                algorithms=[key.algorithm],
                audience=self._audience,
                issuer=self._issuer,
                options=_OPTIONS,
            )
        except jwt.PyJWTError as error:
            raise InvalidCredential(_reason(error)) from None
        begins = max(_moment(claims, "nbf"), _moment(claims, "iat"))
        return _Verified(key, _credential(claims), begins, _moment(claims, "exp"))

    async def _key(self, header: Mapping[str, Any]) -> SigningKey:
        algorithm, key_id = header.get("alg"), header.get("kid")
        if algorithm == "HS256":
            key_id = SECRET_KEY
        elif not key_id:
            raise InvalidCredential("the token does not name the key that signed it (kid)")
        if algorithm not in ("HS256", "RS256", "ES256"):
            raise InvalidCredential("the token is signed in a way that is not taken here")
        key = await self._find(key_id)
        if key is None or key.algorithm != algorithm:
            raise InvalidCredential("the token is signed by a key that is not known")
        return key

    async def _find(self, key_id: str) -> SigningKey | None:
        if key_id == SECRET_KEY:
            return self._secret
        return await self._signing_keys.find(key_id) if self._signing_keys else None


def _moment(claims: _Claims, claim: str) -> float:
    """A time of the token, in seconds since the Unix epoch; without the claim, before all times."""
    value = claims.get(claim, -LATEST_S)
    if claim in claims and (type(value) not in (int, float) or not abs(value) < LATEST_S):
        raise InvalidCredential(f"the token's {claim} is no time")
    return float(value)


def _credential(claims: _Claims) -> Credential:
    plan = claims.get("plan", "")
    if not isinstance(plan, str) or len(plan) > MAX_PLAN_CHARACTERS:
        raise InvalidCredential("the token's plan is no plan's name")
    try:
        return Credential(authenticated(claims["sub"]), plan)
    except (Unauthenticated, InvalidInput):
        raise InvalidCredential("the token's sub is no user id that can be used here") from None


def _reason(error: jwt.PyJWTError) -> str:
    match error:
        case jwt.InvalidSignatureError() | jwt.InvalidKeyError():
            return "the token's signature is wrong"
        case jwt.InvalidAudienceError():
            return "the token is meant for others"
        case jwt.InvalidIssuerError():
            return "the token is issued by others"
        case jwt.MissingRequiredClaimError(claim=claim):
            return f"the token lacks {claim}"
        case _:
            return "the token is malformed"
