"""Health: live, ready, degraded, down."""

from __future__ import annotations

import pytest

from rag_core.domain import Generator, Tokenizer, UserId
from rag_core.embedded import StackUrls, own_valkey
from rag_core.settings import Settings
from tests.rag_core.app.served import Served, open_served


async def test_a_live_one_answers(served: Served) -> None:
    assert (await served.client.get("/health/live", headers={"x-test-user": ""})).is_success
