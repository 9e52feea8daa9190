"""Health: live, ready, degraded, down."""

from __future__ import annotations

from tests.rag_core.app.served import Served


async def test_a_live_one_answers(served: Served) -> None:
    assert (await served.client.get("/health/live", headers={"x-test-user": ""})).is_success
