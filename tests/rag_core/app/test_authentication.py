"""Who asks, over HTTP: keys and tokens of the real kinds, and a clear refusal of all others."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import repeat

import httpx
import pytest
from pydantic import SecretStr

from rag_core.access import BELIEVED_S, ApiKey
from rag_core.adapters.generators import ScriptedGenerator
from rag_core.adapters.identity import RETRY_S
from rag_core.adapters.postgres import Database, PostgresApiKeys
from rag_core.app import create_app
from rag_core.bootstrap import assemble
from rag_core.clock import ManualClock
from rag_core.domain import Tokenizer, UserId
from tests.rag_core.adapters.identity.provider import (
    AUDIENCE,
    ISSUER,
    IdentityProvider,
    Signer,
    claims,
    identity_provider,
)
from tests.rag_core.app.served import running
from tests.rag_core.library import CountingEmbedder, note
from tests.rag_core.scene import ANSWER, QUESTION, settings_for


@dataclass(frozen=True)
class Door:
    """A running application that lets in by keys and tokens."""

    client: httpx.AsyncClient
    clock: ManualClock
    keys: PostgresApiKeys
    provider: IdentityProvider

    async def ask(self, **headers: str) -> httpx.Response:
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        return await self.client.post(
            "/assistant/query", json={"question": QUESTION}, headers=given
        )

    async def key_of(self, user: UserId) -> ApiKey:
        key = ApiKey.issue()
        await self.keys.add(key, user)
        return key


@pytest.fixture
async def door(
    database_url: str, database: Database, user: UserId, tokenizer: Tokenizer
) -> AsyncIterator[Door]:
    clock = ManualClock()
    async with identity_provider(Signer.ec("first")) as provider:
        settings = settings_for(
            database_url,
            jwt_jwks_url=SecretStr(provider.url),
            jwt_audience=AUDIENCE,
            jwt_issuer=ISSUER,
        )
        embedder = CountingEmbedder()
        async with assemble(settings, embedder=embedder, tokenizer=tokenizer) as application:
            await application.ingest.run(user, [note("grace")])
        app = create_app(
            settings,
            embedder=embedder,
            generator=ScriptedGenerator(repeat(ANSWER), clock=clock),
            tokenizer=tokenizer,
            clock=clock,
        )
        async with running(app) as (_, url), httpx.AsyncClient(base_url=url, timeout=30) as client:
            yield Door(client, clock, PostgresApiKeys(database), provider)


async def test_a_key_answers_from_its_users_notes_and_another_users_does_not(
    door: Door, user: UserId, other_user: UserId
) -> None:
    mine = await door.ask(x_api_key=(await door.key_of(user)).text)
    assert (mine.status_code, mine.json()["provenance"]) == (200, "FRESH")
    bearer = await door.ask(authorization=f"Bearer {(await door.key_of(user)).text}")
    assert bearer.json()["provenance"] == "CACHED"
    theirs = await door.ask(x_api_key=(await door.key_of(other_user)).text)
    assert (theirs.status_code, theirs.json()["provenance"]) == (200, "NO_CONTEXT")
    assert theirs.json()["citations"] == []


async def test_a_revoked_key_is_refused_within_the_time_that_is_said(
    door: Door, user: UserId
) -> None:
    key = await door.key_of(user)
    assert (await door.ask(x_api_key=key.text)).status_code == 200
    await door.keys.revoke(key.prefix)
    door.clock.advance(BELIEVED_S)
    refused = await door.ask(x_api_key=key.text)
    assert (refused.status_code, refused.json()["code"]) == (401, "invalid_credential")


async def test_a_token_is_taken_and_so_is_one_of_the_next_key(door: Door, user: UserId) -> None:
    for signer in (door.provider.signers[0], Signer.ec("second"), Signer.rsa("third")):
        door.provider.signers[:] = [signer]
        door.clock.advance(RETRY_S)
        token = signer.sign(claims(door.clock, sub=user))
        assert (await door.ask(authorization=f"Bearer {token}")).status_code == 200


async def test_while_no_keys_can_be_fetched_it_is_our_trouble_not_the_tokens(
    door: Door, user: UserId
) -> None:
    door.provider.status = 500
    door.clock.advance(100_000)
    token = door.provider.signers[0].sign(claims(door.clock, sub=user))
    response = await door.ask(authorization=f"Bearer {token}")
    assert (response.status_code, response.json()["retryable"]) == (503, True)
    assert int(response.headers["retry-after"]) >= 1
    assert door.provider.url not in response.text


async def test_a_refusal_is_a_problem_that_says_how_to_come_back(door: Door) -> None:
    none = await door.ask()
    assert none.status_code == 401
    assert none.headers["www-authenticate"] == 'Bearer realm="rag_core"'
    assert none.headers["content-type"] == "application/problem+json"
    assert (none.json()["code"], none.json()["retryable"]) == ("unauthenticated", False)
    wrong = await door.ask(x_api_key=ApiKey.issue().text)
    assert wrong.status_code == 401
    assert 'error="invalid_token"' in wrong.headers["www-authenticate"]
    stale = door.provider.signers[0].sign(claims(door.clock, exp=door.clock.now() - 60))
    expired = await door.ask(authorization=f"Bearer {stale}")
    assert "the token has expired" in expired.headers["www-authenticate"]


@pytest.mark.parametrize(
    "path", ["/assistant/query", "/assistant/stats", "/nowhere", "/page", "/notes"]
)
async def test_before_it_is_known_who_asks_nothing_else_is_told(door: Door, path: str) -> None:
    for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD", "TRACE"):
        response = await door.client.request(method, path)
        assert response.status_code == 401, method


async def test_health_needs_no_credential(door: Door) -> None:
    assert (await door.client.get("/health/live")).status_code == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer"},
        {"authorization": "Basic cnV0aDpydXRo"},
        {"authorization": b"Bearer \xff\xfe"},
        {"authorization": "Bearer " + "a" * 20_000},
        {"authorization": "Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJydXRoIn0."},
        {"x-api-key": ""},
        {"x-api-key": b"\x80"},
        {"x-api-key": "rag_000000000000_" + "0" * 64},
        {"x-user": "ruth", "x-forwarded-user": "ruth"},
    ],
)
async def test_whatever_the_headers_hold_nobody_is_let_in_and_nothing_breaks(
    door: Door, headers: dict[str, str | bytes]
) -> None:
    response = await door.client.post(
        "/assistant/query", json={"question": QUESTION}, headers=headers
    )
    assert response.status_code == 401
