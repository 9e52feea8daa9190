"""CPU that it takes to know who asks, by the kind of credential."""

from __future__ import annotations

import statistics
import time
from collections.abc import Awaitable, Callable, Collection, Mapping
from pathlib import Path
from typing import Any

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm
from starlette.datastructures import Headers

from evals.bench.figures import Figure
from evals.results.numbers import number
from rag_core.access import ApiKey, BelievedKeys, Credential, HeaderAuthenticator, IssuedKey
from rag_core.adapters.identity import BearerTokens, SigningKeys
from rag_core.clock import SystemClock
from rag_core.domain import UserId
from rag_core.events import ignore

# Chosen: rounds that the median is taken over, and requests in each.
ROUNDS = 15
REQUESTS = 2_000
FIRST_REQUESTS = 50
"""Number of requests whose token nobody has seen."""

AUDIENCE = "bench"
SECRET = b"a secret of the benchmark's own, 32 bytes"
ALLOWED_US = 20.0
"""Chosen: an eighth of what a cached answer takes below HTTP."""

USUAL = {
    "host": "127.0.0.1:8000",
    "accept": "application/json",
    "accept-encoding": "gzip, deflate",
    "connection": "keep-alive",
    "user-agent": "bench/1.0",
    "content-type": "application/json",
    "content-length": "40",
}
"""Headers that come with every request."""

Authenticate = Callable[[str], Awaitable[Credential]]


async def known_user(folder: Path) -> list[Figure]:
    """Keys and tokens in use, and tokens that are seen for the first time."""
    keys = _Keys()
    private = {
        "RS256": rsa.generate_private_key(65537, 2048),
        "ES256": ec.generate_private_key(ec.SECP256R1()),
    }
    believed, tokens = BelievedKeys(keys.find, clock=SystemClock()), _tokens(private)
    ask = HeaderAuthenticator(believed, tokens)
    in_use = {"API key": keys.issue()}
    in_use |= {f"{name} token": _signed(name, key, 0) for name, key in _signers(private).items()}
    times: dict[str, list[float]] = {name: [] for name in in_use}
    for _ in range(ROUNDS):
        for name, text in in_use.items():
            times[name].append(await _cpu_us(ask, [text] * REQUESTS))
    figures = [_in_use(name, statistics.median(each)) for name, each in times.items()]
    for name, key in _signers(private).items():
        new = [_signed(name, key, number) for number in range(1, FIRST_REQUESTS + 1)]
        first = number(await _cpu_us(ask, new), "µs")
        figures.append(Figure(f"{name} token, seen first (PyJWT)", f"{first} CPU", "once a token"))
    return figures


def _in_use(name: str, median_us: float) -> Figure:
    measured = f"{number(median_us, 'µs')} CPU"
    return Figure(f"{name} in use", measured, f"≤ {ALLOWED_US:.0f} µs", median_us <= ALLOWED_US)


async def _cpu_us(ask: HeaderAuthenticator, texts: Collection[str]) -> float:
    usual = [(name.encode(), value.encode()) for name, value in USUAL.items()]
    given = [[*usual, (b"authorization", f"Bearer {text}".encode())] for text in texts]
    began = time.process_time_ns()
    for raw in given:
        await ask(Headers(raw=raw))
    return (time.process_time_ns() - began) / len(given) / 1000


class _Keys:
    """One key, as Postgres would give it."""

    def __init__(self) -> None:
        self._key = ApiKey.issue()

    def issue(self) -> str:
        return self._key.text

    async def find(self, prefixes: Collection[str]) -> Mapping[str, IssuedKey]:
        return {self._key.prefix: IssuedKey(self._key.digest, Credential(UserId("ruth")))}


def _signers(private: Mapping[str, Any]) -> dict[str, Any]:
    return {"HS256": SECRET, **private}


def _signed(algorithm: str, key: Any, serial: int) -> str:
    claims = {"sub": "ruth", "aud": AUDIENCE, "exp": time.time() + 3600, "jti": str(serial)}
    return jwt.encode(claims, key, algorithm, headers={"kid": algorithm})


def _tokens(private: Mapping[str, Any]) -> BearerTokens:
    kinds: dict[str, Any] = {"RS256": RSAAlgorithm, "ES256": ECAlgorithm}
    published = [
        {**kinds[name].to_jwk(key.public_key(), as_dict=True), "kid": name}
        for name, key in private.items()
    ]

    async def fetch() -> bytes:
        return msgspec.json.encode({"keys": published})

    keys = SigningKeys(fetch, clock=SystemClock(), listener=ignore)
    return BearerTokens(
        audience=AUDIENCE, issuer=None, secret=SECRET, signing_keys=keys, clock=SystemClock()
    )
