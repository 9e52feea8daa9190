"""Bearer tokens of the people, signed with the secret that the application under test knows."""

from __future__ import annotations

import time
from functools import cache

import jwt

AUDIENCE = "rag_core"
ISSUER = "loadtests"
_VALID_S = 86_400  # longer than any load test


class Signer:
    """Signs tokens of HS256 with a `secret` of 32 bytes or more."""

    def __init__(self, secret: str) -> None:
        self._secret = secret
        self.authorization = cache(self._authorization)
        """The header of a user's requests, signed once: what the application checks is the same."""

    def _authorization(self, user: str) -> str:
        return f"Bearer {self._token(user, self._secret, 'HS256')}"

    def forged(self, user: str) -> str:
        """A header that claims to be of `user`, signed with another secret."""
        return f"Bearer {self._token(user, self._secret[::-1], 'HS256')}"

    def unsigned(self, user: str) -> str:
        """A header that claims to be of `user`, with the algorithm `none`."""
        return f"Bearer {self._token(user, '', 'none')}"

    def expired(self, user: str) -> str:
        """A header that was good an hour ago."""
        return f"Bearer {self._token(user, self._secret, 'HS256', valid_s=-3_600)}"

    @staticmethod
    def _token(user: str, secret: str, algorithm: str, *, valid_s: float = _VALID_S) -> str:
        claims = {"sub": user, "aud": AUDIENCE, "iss": ISSUER, "exp": int(time.time() + valid_s)}
        return jwt.encode(claims, secret, algorithm)
