"""A JSON Web Key Set (RFC 7517), of which only what verifies RS256 and ES256 is taken."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Literal

import msgspec
from jwt import InvalidKeyError
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from rag_core.errors import Unavailable

Algorithm = Literal["HS256", "RS256", "ES256"]

MIN_RSA_BITS = 2048
"""Shorter ones are not taken (RFC 7518, section 3.3)."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A key that checks signatures by its one algorithm, whatever a token says."""

    id: str
    algorithm: Algorithm
    key: Any
    """As PyJWT takes it."""


class _Set(msgspec.Struct):
    keys: list[msgspec.Raw]


class _Jwk(msgspec.Struct):
    kty: str
    kid: str
    use: str = "sig"
    alg: str = ""
    key_ops: tuple[str, ...] = ("verify",)
    crv: str = ""
    n: str = ""
    e: str = ""
    x: str = ""
    y: str = ""


def read_key_set(content: bytes) -> Mapping[str, SigningKey]:
    """The keys of a set by their ids; those of other kinds and uses are passed over.

    Raises:
        Unavailable: it is no key set, or holds no key that can be used.
    """
    try:
        entries = msgspec.json.decode(content, type=_Set).keys
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise Unavailable("what came from RAG_JWT_JWKS_URL is no key set") from error
    keys = {key.id: key for entry in entries for key in _usable(entry)}
    if not keys:
        raise Unavailable("the key set of RAG_JWT_JWKS_URL holds no key for RS256 or ES256")
    return keys


def _usable(entry: msgspec.Raw) -> Iterator[SigningKey]:
    with suppress(msgspec.DecodeError, InvalidKeyError, ValueError):
        jwk = msgspec.json.decode(entry, type=_Jwk)
        if not jwk.kid or jwk.use != "sig" or "verify" not in jwk.key_ops:
            return
        # Only the public half is read, whatever else stands there.
        if jwk.kty == "RSA" and jwk.alg in ("", "RS256"):
            rsa = RSAAlgorithm.from_jwk({"kty": "RSA", "n": jwk.n, "e": jwk.e})
            if rsa.key_size >= MIN_RSA_BITS:
                yield SigningKey(jwk.kid, "RS256", rsa)
        elif jwk.kty == "EC" and jwk.crv == "P-256" and jwk.alg in ("", "ES256"):
            point = {"kty": "EC", "crv": "P-256", "x": jwk.x, "y": jwk.y}
            yield SigningKey(jwk.kid, "ES256", ECAlgorithm.from_jwk(point))
