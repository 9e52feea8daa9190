"""The stub provider of a load test: killed, brought back at the same port, its bill kept."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from loadtests.stub_provider import Behaviour, StubProvider, running_stub


@dataclass(frozen=True, slots=True)
class Bill:
    """What a provider bills: calls that it answered, tokens read and written.

    `uncertain` is the number of calls that were under way when it was killed.
    """

    calls: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    uncertain: int = 0

    def __add__(self, other: Bill) -> Bill:
        return Bill(
            self.calls + other.calls,
            self.input_tokens + other.input_tokens,
            self.output_tokens + other.output_tokens,
            self.uncertain + other.uncertain,
        )

    def usd(self, price_input_usd: float, price_output_usd: float) -> float:
        """The bill in US dollars, at these prices of a token."""
        return self.input_tokens * price_input_usd + self.output_tokens * price_output_usd


class Provider:
    """A stub that can be killed and started again; see `running_provider`."""

    def __init__(self, *behaviours: Behaviour) -> None:
        self._stack = AsyncExitStack()
        self._before = Bill()
        self._port = 0
        self._behaviours = behaviours

    async def start(self) -> None:
        """Start it, at the port that it had before if it had one, behaving as it did."""
        self._stub: StubProvider = await self._stack.enter_async_context(
            running_stub(*self._behaviours, port=self._port)
        )
        self._port = int(self.url.rpartition(":")[2].partition("/")[0])

    async def kill(self) -> None:
        """Read its meter, then kill -9."""
        self._before += await self._metered(killed=True)
        os.kill(self.pid, signal.SIGKILL)
        await self.stop()

    async def stop(self) -> None:
        """End it, if it runs."""
        stack, self._stack = self._stack, AsyncExitStack()
        await stack.aclose()

    async def behave(self, *behaviours: Behaviour) -> None:
        """From now on these hold, after a restart as well."""
        self._behaviours = behaviours
        await self._stub.behave(*behaviours)

    async def bill(self) -> Bill:
        """What it has billed since it was first started; `kill` keeps what it had billed."""
        return self._before + await self._metered()

    @property
    def url(self) -> str:
        """The base URL for an OpenAI-style client."""
        return self._stub.url

    @property
    def pid(self) -> int:
        """The process."""
        return self._stub.pid

    async def _metered(self, *, killed: bool = False) -> Bill:
        calls = await self._stub.calls()
        answered = calls.by_status.get(200, 0)
        uncertain = calls.in_flight if killed else 0
        return Bill(answered, calls.input_tokens, calls.output_tokens, uncertain)


@asynccontextmanager
async def running_provider(*behaviours: Behaviour) -> AsyncIterator[Provider]:
    """A provider on any free port, that stops at the end of the block."""
    provider = Provider(*behaviours)
    await provider.start()
    try:
        yield provider
    finally:
        await provider.stop()
