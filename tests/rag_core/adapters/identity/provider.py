"""An identity provider: signs tokens, rotates its keys, and serves their public halves by HTTP."""

from __future__ import annotations

import asyncio
import json
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from rag_core.clock import Clock

AUDIENCE, ISSUER = "rag_core", "https://id.example.org/"


@dataclass(frozen=True)
class Signer:
    """A private key of the provider."""

    id: str
    algorithm: str
    key: Any

    @classmethod
    def rsa(cls, id: str, bits: int = 2048) -> Signer:
        return cls(id, "RS256", rsa.generate_private_key(65537, bits))

    @classmethod
    def ec(cls, id: str) -> Signer:
        return cls(id, "ES256", ec.generate_private_key(ec.SECP256R1()))

    @property
    def jwk(self) -> dict[str, Any]:
        kind = RSAAlgorithm if self.algorithm == "RS256" else ECAlgorithm
        public = kind.to_jwk(self.key.public_key(), as_dict=True)
        return {**public, "kid": self.id, "use": "sig", "alg": self.algorithm}

    def sign(self, claims: Mapping[str, Any], **header: Any) -> str:
        headers = {"kid": self.id, **header}
        return jwt.encode(dict(claims), self.key, self.algorithm, headers=headers)


def claims(clock: Clock, **more: Any) -> dict[str, Any]:
    """What a good token says; None takes a claim away."""
    now = clock.now()
    said = {"sub": "ruth", "aud": AUDIENCE, "iss": ISSUER, "iat": now, "exp": now + 600, **more}
    return {name: value for name, value in said.items() if value is not None}


@dataclass
class IdentityProvider:
    """Where the keys are, what is answered, and how often it was asked."""

    signers: list[Signer]
    url: str = ""
    asked: int = 0
    status: int = 200
    body: bytes | None = None
    """In place of the key set."""
    go_on: asyncio.Event = field(default_factory=asyncio.Event)
    hung: asyncio.Event = field(default_factory=asyncio.Event)
    """A request waits until it may go on."""
    requests: list[str] = field(default_factory=list)

    @property
    def key_set(self) -> bytes:
        return json.dumps({"keys": [signer.jwk for signer in self.signers]}).encode()

    async def answer(self, reader: StreamReader, writer: StreamWriter) -> None:
        self.requests.append((await reader.readuntil(b"\r\n\r\n")).decode())
        self.asked += 1
        if not self.go_on.is_set():
            self.hung.set()
            await self.go_on.wait()
        body = self.key_set if self.body is None else self.body
        head = f"HTTP/1.1 {self.status} X\r\nContent-Length: {len(body)}\r\nConnection: close"
        location = "\r\nLocation: http://127.0.0.1:1/" if self.status == 302 else ""
        writer.write(f"{head}{location}\r\n\r\n".encode() + body)
        await writer.drain()
        writer.close()


@asynccontextmanager
async def identity_provider(*signers: Signer) -> AsyncIterator[IdentityProvider]:
    provider = IdentityProvider(list(signers))
    provider.go_on.set()
    server = await asyncio.start_server(provider.answer, "127.0.0.1", 0)
    async with server:
        provider.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/jwks.json"
        yield provider
        provider.go_on.set()
