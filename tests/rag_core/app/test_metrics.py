"""GET /metrics: what Prometheus scrapes, of one process or of several."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import httpx
import psutil

from rag_core.domain import Tokenizer, UserId
from tests.deploy.served import serving
from tests.rag_core.adapters.telemetry.metering import Samples, samples_of
from tests.rag_core.app.served import Served, open_served
from tests.rag_core.embedded.processes import eventually
from tests.rag_core.scene import QUESTION, settings_for

ASKED = ("assistant_http_responses_total", "2xx")


async def test_it_tells_what_was_answered_to_whoever_scrapes(served: Served) -> None:
    await served.ask(QUESTION)
    await served.ask(QUESTION)
    async with httpx.AsyncClient(base_url=served.url) as stranger:
        response = await stranger.get("/metrics")
    assert response.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    found = samples_of(response.text)
    assert found["assistant_queries_total", "FRESH", "stable"] == 1
    assert found["assistant_queries_total", "CACHED", "stable"] == 1
    assert found["assistant_cache_hit_rate", "answer"] == 0.5
    assert found["assistant_concurrent_queries",] == 0
    assert found["assistant_http_request_duration_seconds_count", "/assistant/query"] == 2
    assert found["process_resident_memory_bytes",] > 0
    assert found["assistant_epoch_read_seconds_count", "ok"] == 2


async def test_where_nothing_is_measured_there_is_nothing_to_scrape(
    database_url: str, user: UserId, tokenizer: Tokenizer
) -> None:
    settings = settings_for(database_url, metrics="none")
    async with open_served(settings, user, tokenizer) as served:
        response = await served.client.get("/metrics")
    assert response.status_code == 404


async def test_every_worker_tells_what_all_have_counted_and_one_that_is_killed_is_not_forgotten(
    database_url: str, exported_model: Path
) -> None:
    variables = {"RAG_WORKERS": "2", "RAG_CACHE": "memory", "RAG_GENERATOR": "extractive"}
    variables |= {"RAG_DATABASE_URL": database_url, "RAG_HOME": str(exported_model.parents[1])}
    async with serving(variables) as url:
        await asyncio.gather(*(live(url) for _ in range(60)))
        before = await scrape(url)
        assert before[ASKED] >= 60
        read = [(await scrape(url))[ASKED] for _ in range(12)]
        assert read == [before[ASKED] + n for n in range(1, 13)], "each scrape is counted once"
        os.kill(worker_of(url), signal.SIGKILL)
        await eventually(lambda: answers(url))
        assert (await scrape(url))[ASKED] >= read[-1]


async def live(url: str) -> None:
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        (await client.get("/health/live")).raise_for_status()


async def answers(url: str) -> bool:
    try:
        await live(url)
    except httpx.TransportError:
        return False
    return True


async def scrape(url: str) -> Samples:
    """Over a connection of its own, which any worker may take."""
    async with httpx.AsyncClient(base_url=url, timeout=30) as client:
        return samples_of((await client.get("/metrics")).text)


def worker_of(url: str) -> int:
    """The process of one of the workers that listen there."""
    port = httpx.URL(url).port
    children = psutil.Process().children(recursive=True)
    workers = [
        child.pid
        for child in children
        if "spawn_main" in " ".join(child.cmdline())
        and any(each.laddr and each.laddr.port == port for each in child.net_connections())
    ]
    return workers[0]
