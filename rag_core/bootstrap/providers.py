"""The providers that the settings name, as generators."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag_core.adapters.generators.extractive import ExtractiveGenerator
from rag_core.bootstrap.guards import provider_guard
from rag_core.clock import Clock
from rag_core.domain.completion import Generator
from rag_core.domain.ranking import Embedder
from rag_core.domain.tokens import Tokenizer
from rag_core.events import Listener
from rag_core.providers.hedging import Hedging
from rag_core.providers.provider import Provider
from rag_core.providers.router import Router
from rag_core.settings import Settings, secret
from rag_core.settings_providers import configured_providers

if TYPE_CHECKING:
    from rag_core.adapters.redis.client import RedisClient


@asynccontextmanager
async def open_providers(
    settings: Settings, tokenizer: Tokenizer
) -> AsyncIterator[tuple[Generator, ...]]:
    """A generator for each configured provider, in their order; none for extractive answers.

    Each has one client, which is built here and closed at the end.

    Raises:
        ConfigurationError: one of them lacks a setting.
    """
    configured = configured_providers(settings)
    if not configured:
        yield ()
        return
    # Takes half a second to import, and most uses do without.
    from rag_core.adapters.generators.chat_completions import ChatCompletionsGenerator

    async with AsyncExitStack() as stack:
        generators = []
        for each in configured:
            generator = ChatCompletionsGenerator(
                each.name,
                each.model,
                tokenizer=tokenizer,
                key=secret(each.key),
                base_url=secret(each.base_url),
                timeout_s=each.timeout_s,
                prices=each.prices,
            )
            generators.append(await stack.enter_async_context(aclosing(generator)))
        yield tuple(generators)


@asynccontextmanager
async def open_generator(
    settings: Settings, embedder: Embedder, tokenizer: Tokenizer
) -> AsyncIterator[Generator]:
    """The first configured provider, or without any the extractive generator.

    Raises:
        ConfigurationError: a provider lacks a setting.
    """
    async with open_providers(settings, tokenizer) as providers:
        yield providers[0] if providers else ExtractiveGenerator(embedder, tokenizer)


@dataclass(frozen=True, slots=True)
class Writers:
    """Who writes answers, and who quotes the notes where none of them can."""

    router: Router
    quoting: Router | None
    providers: tuple[Provider, ...] = ()
    """Those of the router, guarded; none where the notes are quoted or a generator was given."""

    def named(self, name: str) -> Provider | None:
        """The provider of that name, if it is configured."""
        return next((each for each in self.providers if each.name == name), None)


def wire_writers(
    settings: Settings,
    providers: Sequence[Generator],
    quoting: Generator,
    *,
    clock: Clock,
    listener: Listener,
    redis: RedisClient | None,
) -> Writers:
    """Guarded providers, and `quoting` below them; without providers, `quoting` alone."""
    alone = Router.alone(quoting, listener)
    if not providers:
        return Writers(alone, None)
    timeouts = {each.name: each.timeout_s for each in configured_providers(settings)}
    guarded = [
        Provider(
            each,
            provider_guard(
                each.name,
                settings,
                timeout_s=timeouts.get(each.name, settings.request_timeout_s),
                clock=clock,
                listener=listener,
                redis=redis,
            ),
        )
        for each in providers
    ]
    hedging = Hedging() if settings.hedging else None
    router = Router(guarded, clock=clock, listener=listener, hedging=hedging)
    return Writers(router, alone, tuple(guarded))
