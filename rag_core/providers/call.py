"""One provider asked once: paid for, through its guard, in one piece or in many."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from rag_core.domain.completion import Completion, Generator
from rag_core.domain.cost import Usage
from rag_core.domain.prompt import Prompt
from rag_core.providers.provider import Provider

Item = str | Completion


class Account(Protocol):
    """Where a call's usage is put down."""

    def used(self, usage: Usage) -> None:
        """The provider said what the call used."""
        ...

    def counted(self, output_tokens: int) -> None:
        """So many tokens of the output were seen of a call that ended early."""
        ...


Pay = Callable[[Generator], AbstractAsyncContextManager[Account]]
"""Puts money aside for a call of that generator; may raise BudgetExhausted."""


class _NoAccount:
    def used(self, usage: Usage) -> None: ...

    def counted(self, output_tokens: int) -> None: ...


@asynccontextmanager
async def unpaid(generator: Generator) -> AsyncIterator[Account]:
    """For generators that cost nothing, and for those whose costs are nobody's here."""
    yield _NoAccount()


@dataclass(frozen=True, slots=True)
class Call:
    """What is wanted, whoever writes it; `count` counts the tokens of a text."""

    prompt: Prompt
    max_tokens: int
    streamed: bool
    count: Callable[[str], int]
    pay: Pay = unpaid

    async def made(self, provider: Provider) -> AsyncGenerator[Item, None]:
        """What `provider` writes: pieces if streamed, and the whole completion last.

        Money is put aside within the guard, anew for each attempt: each may be charged.

        Raises:
            BudgetExhausted, and what the guard and the generator raise.
        """
        generator, guard = provider.generator, provider.guard
        if not self.streamed:
            yield await guard.call(partial(self._whole, generator))
            return
        async with aclosing(guard.stream(partial(self._pieces, generator))) as items:
            async for item in items:
                yield item

    async def _whole(self, generator: Generator) -> Completion:
        async with self.pay(generator) as account:
            completion = await generator.generate(self.prompt, max_tokens=self.max_tokens)
            account.used(completion.usage)
            return completion

    async def _pieces(self, generator: Generator) -> AsyncGenerator[Item, None]:
        async with self.pay(generator) as account:
            text = ""
            try:
                stream = generator.stream(self.prompt, max_tokens=self.max_tokens)
                async with aclosing(stream) as items:
                    async for item in items:
                        if isinstance(item, Completion):
                            text = ""
                            account.used(item.usage)
                        else:
                            text += item
                        yield item
            finally:
                if text:  # it ended early, and what came is charged for
                    account.counted(self.count(text))
