"""An application with two people in it, over real servers, which is asked byte by byte."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import uuid4

from hypothesis import HealthCheck, settings
from pydantic import SecretStr

from rag_core.access import ApiKey
from rag_core.adapters.embedders import HashingEmbedder
from rag_core.adapters.generators import ExtractiveGenerator
from rag_core.adapters.postgres import Database, PostgresApiKeys
from rag_core.app import create_app
from rag_core.clock import SystemClock
from rag_core.domain import Tokenizer, UserId, authenticated
from tests.rag_core.adapters.identity.provider import (
    AUDIENCE,
    ISSUER,
    IdentityProvider,
    Signer,
    claims,
    identity_provider,
)
from tests.rag_core.app.served import running
from tests.rag_core.scene import settings_for

Headers = list[tuple[bytes, bytes]]
SECRET = "a secret of tests, thirty-two bytes or more"
EXAMPLES = int(os.environ.get("RAG_TEST_FUZZ_EXAMPLES", "100"))
"""Of each kind."""

fuzzed = settings(
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
_LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n", re.IGNORECASE)
_STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ")


@dataclass(frozen=True)
class Reply:
    """Whatever came back."""

    raw: bytes

    @property
    def status(self) -> int:
        """0 where the server hung up without a word."""
        found = _STATUS.match(self.raw)
        return int(found[1]) if found else 0

    @property
    def body(self) -> bytes:
        return self.raw.partition(b"\r\n\r\n")[2]


@dataclass(frozen=True)
class Person:
    """Somebody whose note on grace holds words that nobody else has."""

    user: UserId
    key: bytes
    marker: bytes

    @classmethod
    def anyone(cls, name: str) -> Person:
        marker = uuid4().hex
        key = ApiKey.issue()
        return cls(authenticated(f"{name}-{marker[:12]}"), key.text.encode(), marker.encode())


@dataclass(frozen=True)
class House:
    """The application, its two people, and who signs tokens for it."""

    port: int
    ruth: Person
    naomi: Person
    provider: IdentityProvider

    async def send(
        self, method: bytes, target: bytes, headers: Headers, body: bytes = b""
    ) -> Reply:
        """One request, as it is; its length is said where `headers` say nothing of it."""
        given = [(b"host", b"x"), (b"connection", b"close"), *headers]
        if not {b"content-length", b"transfer-encoding"} & {name.lower() for name, _ in headers}:
            given.append((b"content-length", b"%d" % len(body)))
        lines = [b"%s %s HTTP/1.1" % (method, target), *(b"%s: %s" % each for each in given)]
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        try:
            writer.write(b"\r\n".join(lines) + b"\r\n\r\n" + body)
            return Reply(await _reply(reader))
        except ConnectionError:
            return Reply(b"")
        finally:
            writer.close()

    async def asked_by(
        self, person: Person, method: bytes, target: bytes, body: bytes = b"", *more: bytes
    ) -> Reply:
        """One request of somebody who has a key; `more` are a header's name and value."""
        headers = [(b"x-api-key", person.key), *zip(more[::2], more[1::2], strict=True)]
        return await self.send(method, target, headers, body)

    def keeps_its_own(self, reply: Reply, of: Person | None) -> None:
        """Nothing broke, and nobody but `of` has read what `of` wrote."""
        assert reply.status < 500, reply.raw
        for person in (self.ruth, self.naomi):
            assert person is of or person.marker not in reply.raw


async def _reply(reader: asyncio.StreamReader) -> bytes:
    """Up to the end of the response, which need not be that of the connection."""
    raw = b""
    while more := await reader.read(65_536):
        raw += more
        head, ended, body = raw.partition(b"\r\n\r\n")
        length = _LENGTH.search(head + b"\r\n")
        if ended and length and len(body) >= int(length[1]):
            break
    return raw


@asynccontextmanager
async def open_house(
    database_url: str, redis_url: str, database: Database, tokenizer: Tokenizer
) -> AsyncIterator[House]:
    """Both have a note of the same id, and each can read his own."""
    ruth, naomi = Person.anyone("ruth"), Person.anyone("naomi")
    for person in (ruth, naomi):
        key = ApiKey.parse(person.key.decode())
        assert key is not None
        await PostgresApiKeys(database).add(key, person.user)
    embedder = HashingEmbedder()
    async with identity_provider(Signer.rsa("rsa-1"), Signer.ec("ec-1")) as provider:
        settings = settings_for(
            database_url,
            cache="redis",
            redis_url=SecretStr(redis_url),
            jwt_secret=SecretStr(SECRET),
            jwt_jwks_url=SecretStr(provider.url),
            jwt_audience=AUDIENCE,
            jwt_issuer=ISSUER,
            body_timeout_s=0.1,
            import_characters=2_000,
        )
        app = create_app(
            settings,
            embedder=embedder,
            tokenizer=tokenizer,
            generator=ExtractiveGenerator(embedder, tokenizer),
        )
        async with running(app) as (_, url):
            house = House(int(url.rpartition(":")[2]), ruth, naomi, provider)
            for person in (ruth, naomi):
                await _move_in(house, person)
            yield house


async def _move_in(house: House, person: Person) -> None:
    body = b'{"title": "On grace", "body": "Paul calls grace a gift of %s."}' % person.marker
    assert (await house.asked_by(person, b"PUT", b"/notes/grace", body)).status == 201
    for headers in ([(b"x-api-key", person.key)], bearer(token_of(house, person))):
        question = b'{"question": "What does Paul call grace?"}'
        reply = await house.send(b"POST", b"/assistant/query", headers, question)
        assert person.marker in reply.raw, reply.raw


def token_of(house: House, person: Person) -> str:
    """A good token of that person's."""
    said = claims(SystemClock(), sub=person.user)
    return house.provider.signers[0].sign(said)


def bearer(token: str | bytes) -> Headers:
    value = token if isinstance(token, bytes) else token.encode()
    return [(b"authorization", b"Bearer " + value)]
