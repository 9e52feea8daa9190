"""A provider: a generator behind the guard that all calls to it go through."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass
from typing import Protocol, TypeVar

from rag_core.domain.completion import Generator, TunableGenerator
from rag_core.domain.options import Options

T = TypeVar("T")


class Guarding(Protocol):
    """What keeps the trouble of one dependency from becoming everyone's; see `guard.Guard`."""

    async def call(self, work: Callable[[], Awaitable[T]]) -> T:
        """What `work` returns, called once or again."""
        ...

    def stream(self, begin: Callable[[], AsyncGenerator[T, None]]) -> AsyncGenerator[T, None]:
        """The items of the stream that `begin` begins."""
        ...

    @property
    def open_for_s(self) -> float:
        """Seconds for which calls are refused at once; 0 when they go ahead."""
        ...


class Unguarded:
    """For a generator that is no service, such as a fake one."""

    open_for_s = 0.0

    async def call(self, work: Callable[[], Awaitable[T]]) -> T:
        """What `work` returns."""
        return await work()

    def stream(self, begin: Callable[[], AsyncGenerator[T, None]]) -> AsyncGenerator[T, None]:
        """The stream itself."""
        return begin()


@dataclass(frozen=True, slots=True, eq=False)
class Provider:
    """Who writes, and the guard in front of it."""

    generator: Generator
    guard: Guarding

    @property
    def name(self) -> str:
        """The name of its generator."""
        return self.generator.name

    def chosen(self, options: Options) -> Provider | None:
        """The same, asked as `options` say; None where it cannot be, or another is chosen.

        A wrong key of somebody's own says nothing of the provider, so that no guard hears of it.
        """
        generator = self.generator
        other = options.provider not in (None, self.name)
        if other or not isinstance(generator, TunableGenerator):
            return None
        tuned = generator.tuned(temperature=options.temperature, key=options.key)
        return Provider(tuned, self.guard if options.key is None else Unguarded())
