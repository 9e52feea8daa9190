"""A breaker that is switched off."""

from __future__ import annotations

from rag_core.guard.breaker import Breaker, Ticket


class NeverOpen(Breaker):
    """Lets every call through, whatever failed before; to be built without a store."""

    async def failed(self, ticket: Ticket) -> None:
        """The dependency failed the call, and is called again all the same."""
