"""Health: live, ready, degraded, down."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg

from rag_core.domain import Tokenizer, UserId
from rag_core.embedded import OwnValkey
from rag_core.errors import ProviderUnavailable
from rag_core.settings import Settings
from tests.rag_core.app.served import Served, open_served
from tests.rag_core.embedded.processes import eventually
from tests.rag_core.held_generator import HeldGenerator
from tests.rag_core.library import connected, note
from tests.rag_core.scene import settings_for


async def readiness(served: Served) -> tuple[int, dict[str, Any]]:
    """What a balancer that has no credential sees."""
    reply = await served.client.get("/health/ready", headers={"x-test-user": ""})
    return reply.status_code, reply.json()


async def test_one_that_is_well_says_so_to_everyone(served: Served) -> None:
    live = await served.client.get("/health/live", headers={"x-test-user": ""})
    assert (live.status_code, live.json()) == (200, {"status": "ok"})
    assert await readiness(served) == (200, {"status": "ok", "reasons": []})


async def test_without_redis_it_is_degraded_and_well_when_redis_is_back(
    database_url: str, user: UserId, tokenizer: Tokenizer, tmp_path: Path
) -> None:
    async with OwnValkey(tmp_path) as valkey:
        settings = settings_for(database_url, cache="redis", redis_url=valkey.url)
        async with open_served(settings, user, tokenizer) as served:
            assert await readiness(served) == (200, {"status": "ok", "reasons": []})
            await valkey.kill()
            await served.ask("Who finds out?")
            away = {"status": "degraded", "reasons": ["Redis is away"]}
            assert await readiness(served) == (200, away)
            await valkey.start()

            async def is_well() -> bool:
                return (await readiness(served))[1]["status"] == "ok"

            await eventually(is_well)


async def test_a_breaker_that_is_open_is_a_reason(
    settings: Settings, user: UserId, tokenizer: Tokenizer
) -> None:
    settings = settings.model_copy(update={"breaker_failures": 1, "provider_retries": 0})
    failing = _Failing()
    async with open_served(settings, user, tokenizer, providers=[failing]) as served:
        await served.put(note("grace"))
        answer = (await served.ask("What is grace?")).json()
        assert answer["provenance"] == "DEGRADED"
        assert answer["notice"]
        degraded = {"status": "degraded", "reasons": ["the breaker of held is open"]}
        assert await readiness(served) == (200, degraded)


async def test_without_postgres_it_is_down_and_well_when_postgres_is_back(
    own_database: str, user: UserId, tokenizer: Tokenizer
) -> None:
    async with open_served(settings_for(own_database), user, tokenizer) as served:
        _let_in(own_database, False)
        away = {"status": "down", "reasons": ["Postgres is away"]}
        assert await readiness(served) == (503, away)
        reply = await served.ask("What is grace?")
        assert (reply.status_code, reply.json()["code"]) == (503, "unavailable")
        assert "retry-after" in reply.headers
        assert psycopg.conninfo.conninfo_to_dict(own_database)["dbname"] not in reply.text
        _let_in(own_database, True)

        async def is_well() -> bool:
            served.clock.advance(1)
            return await readiness(served) == (200, {"status": "ok", "reasons": []})

        await eventually(is_well)


async def test_the_caches_are_counted_level_by_level(served: Served) -> None:
    await served.ask("What is grace?")
    await served.ask("What is grace?")
    levels = (await served.client.get("/assistant/stats")).json()["cache"]
    assert set(levels) == {"answer", "embedding", "context"}
    assert (levels["answer"]["hits"], levels["answer"]["misses"]) == (1, 1)
    assert levels["answer"]["entries"] == 1


class _Failing(HeldGenerator):
    """Never answers."""

    async def generate(self, prompt: Any, *, max_tokens: int) -> Any:
        raise ProviderUnavailable("refused")


def _let_in(url: str, allowed: bool) -> None:
    """Let connections into the database, or throw all out."""
    name = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
    with connected(url.replace(f"/{name}?", "/postgres?")) as admin:
        admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS {allowed}'.encode())
        if not allowed:
            admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,)
            )
