"""What a paid call does about money: hold before, settle or release after, whatever happens."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from contextvars import Context

from rag_core import errors
from rag_core.budget.expected_cost import ExpectedCosts, worst
from rag_core.budget.ledger import DayBudget, Hold, Ledger, Spent
from rag_core.budget.money import NANO_PER_USD, Nano, price
from rag_core.domain.completion import Generator
from rag_core.domain.cost import FREE, Usage
from rag_core.domain.user import UserId
from rag_core.events import Listener, MoneyHeld, MoneySettled

HOLD_MARGIN_S = 15.0
"""Seconds by which a hold outlives the longest call: time to book it."""

NOT_CHARGED = (
    errors.ProviderRateLimited,
    errors.ProviderLoading,
    errors.ProviderOutOfCredit,
    errors.ProviderRejected,
    errors.BudgetExhausted,
    errors.BreakerOpen,
    errors.Overloaded,
)
"""Errors that say that the provider did no work for the call."""


def hold_ttl_s(request_timeout_s: float) -> float:
    """Lifetime of a hold where no request takes longer than that."""
    return request_timeout_s + HOLD_MARGIN_S


class Paid:
    """What one call has used so far."""

    def __init__(self, prompt_tokens: int, max_tokens: int) -> None:
        self._most = Usage(prompt_tokens, max_tokens)
        self._usage: Usage | None = None

    def used(self, usage: Usage) -> None:
        """The provider said what the call used; no more is believed than it can have been.

        Another tokenizer than ours may count twice the tokens of a prompt; an output has a limit.
        """
        read, written = 2 * self._most.input_tokens, self._most.output_tokens
        self._usage = Usage(
            min(max(0, usage.input_tokens), read), min(max(0, usage.output_tokens), written)
        )

    def counted(self, output_tokens: int) -> None:
        """So many tokens of the output were seen up to now, of a stream that may be cut."""
        self._usage = Usage(self._most.input_tokens, output_tokens)

    def bill(self, error: BaseException | None) -> Usage | None:
        """What to settle; None: nothing was used.

        A call that ended without a word may have been charged, and costs the most that it can.
        """
        if self._usage is not None:
            return self._usage
        unavailable = type(error) is errors.ProviderUnavailable  # refused, cut or 5xx
        return None if unavailable or isinstance(error, NOT_CHARGED) else self._most


class Spending:
    """Puts money aside for each paid call and books what it used.

    Args:
        call_limit_s: a call that takes longer is ended, so that none outlives its hold.
        settled: is told whose call was booked.
    """

    def __init__(
        self,
        ledger: Ledger,
        *,
        listener: Listener,
        call_limit_s: float,
        expected: ExpectedCosts | None = None,
        settled: Callable[[UserId], None] = lambda user: None,
    ) -> None:
        self._ledger, self._listener, self._limit_s = ledger, listener, call_limit_s
        self._settled = settled
        self._expected = expected or ExpectedCosts()
        self._settling: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def paid(
        self, user: UserId, call_id: str, provider: Generator, prompt_tokens: int, max_tokens: int
    ) -> AsyncIterator[Paid]:
        """One attempt at a provider; a provider without a price is not the ledger's business.

        Args:
            call_id: new for each attempt, even at the same provider: each may be charged.

        Raises:
            BudgetExhausted: before the block is entered.
            ProviderTimeout: the block took longer than a hold may be held.
        """
        paid = Paid(prompt_tokens, max_tokens)
        if provider.prices == FREE:
            yield paid
            return
        most = worst(provider, prompt_tokens, max_tokens)
        expected = self._expected.expected(provider, prompt_tokens, max_tokens)
        hold = await self._held(user, call_id, most, expected)
        try:
            async with asyncio.timeout(self._limit_s) as limit:
                yield paid
        except BaseException as error:  # a cancellation, too, has its bill
            self._end(hold, provider, paid.bill(error))
            if limit.expired():
                raise errors.ProviderTimeout("the call outlived what was held for it") from error
            raise
        else:
            self._end(hold, provider, paid.bill(None))

    async def used_share(self, user: UserId) -> float:
        """Share of the day's budget that is spent or held, the user's or everyone's; 1.0: all."""
        return await self._ledger.used_share(user)

    async def day_budget(self, user: UserId) -> DayBudget:
        """Where the user stands today; raises what `Ledger.day_budget` raises."""
        return await self._ledger.day_budget(user)

    async def drained(self) -> None:
        """Return when every call that has ended is settled, or kept to be."""
        while self._settling:
            await asyncio.gather(*self._settling, return_exceptions=True)

    async def _held(self, user: UserId, call_id: str, most: Nano, expected: Nano) -> Hold:
        try:
            hold = await self._ledger.hold(user, call_id, most, expected)
        except errors.BudgetExhausted as error:
            self._listener(MoneyHeld("refused", error.scope))
            raise
        self._listener(MoneyHeld("allowance" if hold.allowed else "held"))
        return hold

    def _end(self, hold: Hold, provider: Generator, usage: Usage | None) -> None:
        """Settle or release in a task of its own, which neither the request's end nor its
        deadline stops, and which no answer waits for."""
        if usage is None:
            return self._begin(self._ledger.release(hold))
        spent = Spent(provider.name, provider.model, usage, price(provider.prices, usage))
        self._expected.learn(provider.name, provider.model, usage.output_tokens)
        self._listener(MoneySettled(spent.provider, spent.model, spent.nano_usd / NANO_PER_USD))
        return self._begin(self._settle(hold, spent))

    async def _settle(self, hold: Hold, spent: Spent) -> None:
        await self._ledger.settle(hold, spent)
        self._settled(hold.user)

    def _begin(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(work, context=Context())
        self._settling.add(task)
        task.add_done_callback(self._settling.discard)
