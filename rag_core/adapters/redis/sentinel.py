"""The server that sentinels call primary just now, asked for anew with each connection."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from redis.asyncio import BlockingConnectionPool
from redis.asyncio.sentinel import Sentinel, SentinelConnectionPool

from rag_core.adapters.redis.address import Address


class Sentinels(Sentinel):
    """Sentinels of which another one is asked first once one has kept somebody waiting."""

    def __init__(self, hosts: Sequence[Address], **options: Any) -> None:
        """Sentinels at `hosts`; `options` are for the connections to them."""
        super().__init__(hosts, sentinel_kwargs=options)  # type: ignore[no-untyped-call]

    async def discover_master(self, service_name: str) -> tuple[str, int]:
        """Host and port of the service's primary; raises MasterNotFoundError."""
        asked = self.sentinels[0]
        try:
            host, port = await super().discover_master(service_name)
        except asyncio.CancelledError:  # its time was up: redis-py itself would wait for ever
            if self.sentinels[0] is asked:
                self.sentinels.append(self.sentinels.pop(0))
            raise
        return host, port


class PrimaryPool(SentinelConnectionPool, BlockingConnectionPool):
    """Connections to a service's primary; one waits for a free one, and they end together."""

    def __init__(self, service: str, sentinels: Sentinels, **options: Any) -> None:
        """A pool that is not connected yet; `options` are for the connections to the primary."""
        super().__init__(service, sentinels, **options)  # type: ignore[no-untyped-call]

    async def aclose(self) -> None:
        """Close the connections to the sentinels, too."""
        await super().aclose()
        await self.sentinel_manager.aclose()
