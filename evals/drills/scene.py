"""One drill's stage: the real application, a stub provider, a Valkey and a Postgres."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from pydantic import SecretStr

from evals.datasets.golden import GoldenSet
from evals.drills.arrivals import Arrival
from evals.drills.clock import AheadClock
from evals.drills.drill import Drill, Scale
from evals.drills.own_postgres import OwnPostgres
from evals.drills.timeline import ARRIVAL, Billed, Ended, Timeline
from evals.project import CANARY
from loadtests.stub_provider import StubProvider
from rag_core.bootstrap import Application, assemble
from rag_core.domain import Answer, Embedder, Tokenizer
from rag_core.embedded import OwnValkey
from rag_core.errors import RagError
from rag_core.settings import Settings
from rag_core.settings_providers import ProviderSettings

OpenApplication = Callable[..., Awaitable[Application]]

PROVIDER = "stub"
PRICE_INPUT_USD, PRICE_OUTPUT_USD = 0.0000002, 0.0000006
"""A token, as the deployed provider's."""
_LOOK_S = 0.05
"""How often the stub's counts are read."""


@dataclass(frozen=True, slots=True)
class Site:
    """What the drills of a run share, one after the other."""

    golden: GoldenSet
    embedder: Embedder
    tokenizer: Tokenizer
    postgres: OwnPostgres
    stub: StubProvider


@dataclass(slots=True)
class Scene:
    """What one drill has."""

    application: Application
    open: OpenApplication
    """Another worker, whose settings differ as is said; it closes with the scene."""
    settings: Settings
    stub: StubProvider
    valkey: OwnValkey
    postgres: OwnPostgres
    clock: AheadClock
    timeline: Timeline
    streamed: bool
    under_way: set[asyncio.Task[Any] | None] = field(default_factory=set)
    """Those of the requests that were sent and have not ended."""

    async def ask(self, arrival: Arrival) -> None:
        """Send a question when its time has come, and note how it ended."""
        await asyncio.sleep(arrival.at_s - self.timeline.now_s)
        ARRIVAL.set(arrival)
        answer, error = None, ""
        self.under_way.add(task := asyncio.current_task())
        try:
            answer = await self._answer(arrival)
        except RagError as failure:
            error = type(failure).__name__
        finally:
            self.under_way.discard(task)
        self.timeline.ended.append(Ended(arrival, self.timeline.now_s, answer, error))

    async def set_ahead(self, seconds: float) -> None:
        """Set the clock ahead, at a moment when no request is under way: it would time out."""
        while under_way := list(filter(None, self.under_way)):
            await asyncio.wait(under_way)
        self.clock.ahead_s += seconds

    async def watch_stub(self) -> None:
        """Read the stub's counts until cancelled."""
        while True:
            await self.look()
            await asyncio.sleep(_LOOK_S)

    async def look(self) -> None:
        """Read the stub's counts once."""
        calls = await self.stub.calls()
        usd = calls.input_tokens * PRICE_INPUT_USD + calls.output_tokens * PRICE_OUTPUT_USD
        self.timeline.billed.append(Billed(self.timeline.now_s, calls.total, usd))

    async def _answer(self, arrival: Arrival) -> Answer:
        pipeline, asked = self.application.pipeline, arrival.question
        if not self.streamed:
            return await pipeline.answer(asked.question, asked.user)
        *_, last = [item async for item in pipeline.stream(asked.question, asked.user)]
        assert isinstance(last, Answer)
        return last


@asynccontextmanager
async def scene(site: Site, drill: Drill, scale: Scale) -> AsyncIterator[Scene]:
    """The application in front of a stub that is well, caches empty and breakers closed."""
    timeline, clock = Timeline(), AheadClock()
    await site.stub.behave()
    await site.stub.reset_calls()
    await site.postgres.forget_costs()
    async with AsyncExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="rag-drill-")))
        valkey = await stack.enter_async_context(OwnValkey(folder))
        settings = drill_settings(site, valkey.url, scale, drill.settings)

        async def opened(**changes: Any) -> Application:
            application = assemble(
                settings.model_copy(update=changes),
                embedder=site.embedder,
                tokenizer=site.tokenizer,
                clock=clock,
                listener=timeline.hear,
                canary=CANARY,
            )
            return await stack.enter_async_context(application)

        yield Scene(
            application=await opened(),
            open=opened,
            settings=settings,
            stub=site.stub,
            valkey=valkey,
            postgres=site.postgres,
            clock=clock,
            timeline=timeline,
            streamed=drill.streamed,
        )


def drill_settings(
    site: Site, redis_url: str, scale: Scale, changes: Mapping[str, Any]
) -> Settings:
    """The deployed settings before the stub as the only provider, with the times of `scale`."""
    stub = ProviderSettings(
        base_url=SecretStr(site.stub.url),
        model="stub",
        price_input_usd=PRICE_INPUT_USD,
        price_output_usd=PRICE_OUTPUT_USD,
        timeout_s=scale.provider_timeout_s,
    )
    given: dict[str, Any] = {
        "generator": "providers",
        "providers": (PROVIDER,),
        "provider": {PROVIDER: stub},
        "cache": "redis",
        "redis_url": SecretStr(redis_url),
        "database_url": SecretStr(site.postgres.url),
        "breaker_open_s": scale.breaker_open_s,
    }
    return Settings(**given | dict(changes))
