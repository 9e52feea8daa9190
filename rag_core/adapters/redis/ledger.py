"""The ledger of all processes, on Redis: one script places a hold under every cap at once.

All keys of a day share the hash tag `{ledger:YYYY-MM-DD}`, as a script must see the user's sums
and everyone's: of a cluster, one node has the day.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

from rag_core.adapters.redis import ledger_scripts as scripts
from rag_core.adapters.redis.client import RedisClient
from rag_core.adapters.redis.script import Script
from rag_core.budget.ledger import Admission, Call, CallState, Hold, Spent, Sums, as_held
from rag_core.budget.money import Caps
from rag_core.cache.keys import PREFIX
from rag_core.clock import Clock
from rag_core.domain.cost import Usage
from rag_core.domain.user import UserId
from rag_core.guard.time_budget import TimeBudget

LEDGER_TIMEOUT_S = 0.25
"""Seconds that one step may take: money is no cache, and a paid call takes seconds anyway."""

KEEP_S = 7 * 86_400
"""Seconds for which a day's keys are kept."""

BOOKING_S = 5.0
"""Seconds that whoever settled a call has to book it, before a sweeper does."""

_EPOCH = date(1970, 1, 1)
_BATCH = 200


class RedisLedgerStore:
    """LedgerStore by the server's clock.

    Args:
        ttl_s: lifetime of a hold; the same in all processes.
        timeout_s: for one step; the client may be less patient.
        clock: in place of the server's, for tests.
    """

    def __init__(
        self,
        redis: RedisClient,
        *,
        ttl_s: float,
        timeout_s: float = LEDGER_TIMEOUT_S,
        clock: Clock | None = None,
    ) -> None:
        self._redis, self._timeout_s = redis, timeout_s
        self._ttl_ms = int(ttl_s * 1000)
        self._clock = clock

    async def hold(self, hold: Hold, caps: Caps, *, ask: bool) -> Admission:
        """See `LedgerStore`."""
        reply = await self._run(
            scripts.HOLD, hold.day,
            (hold.day - _EPOCH).days, self._now(), hold.user, hold.call_id, hold.nano_usd,
            hold.expected_nano, caps.user_in_ledger, caps.all_in_ledger, self._ttl_ms,
            KEEP_S * 1000, int(ask), caps.processes,
        )  # fmt: skip
        return _admission(reply)

    async def release(self, hold: Hold) -> None:
        """See `LedgerStore`."""
        await self._run(scripts.RELEASE, hold.day, hold.call_id)

    async def record(self, calls: Collection[Call], *, booked: bool) -> None:
        """See `LedgerStore`."""
        days = {call.day for call in calls}
        for day in days:
            of_day = [call for call in calls if call.day == day]
            for first in range(0, len(of_day), _BATCH):
                batch = of_day[first : first + _BATCH]
                words = [word for call in batch for word in _words(call, booked)]
                times = (self._now(), int(BOOKING_S * 1000), KEEP_S * 1000)
                await self._run(scripts.RECORD, day, *times, *words)

    async def due(self, day: date) -> Sequence[Call]:
        """See `LedgerStore`."""
        words = [word.decode() for word in await self._run(scripts.DUE, day, self._now())]
        return [_call(day, *words[at : at + 4]) for at in range(0, len(words), 4)]

    async def open(self, day: date, closing: str, *, grants: bool) -> bool:
        """See `LedgerStore`."""
        given = 0 if grants else 2**31
        return bool(await self._run(scripts.OPEN, day, closing, given))

    async def give_back(self, day: date) -> None:
        """See `LedgerStore`."""
        await self._run(scripts.GIVE_BACK, day)

    async def sums(self, day: date, users: Sequence[UserId | None]) -> Sequence[Sums]:
        """See `LedgerStore`."""
        scopes = [f":{user}" if user else "" for user in users]
        fields = [kind + scope for scope in scopes for kind in "swe"]
        with TimeBudget(self._timeout_s).applied():
            found = await self._redis.execute("HMGET", _keys(day)[0], *fields)
        numbers = [int(each or 0) for each in found]
        return [Sums(*numbers[at : at + 3]) for at in range(0, len(numbers), 3)]

    def _now(self) -> str:
        """Milliseconds of the clock in place of the server's; empty: the server's."""
        return str(int(self._clock.now() * 1000)) if self._clock else ""

    async def _run(self, script: Script, day: date, *arguments: str | int) -> Any:
        with TimeBudget(self._timeout_s).applied():
            return await script.run(self._redis, _keys(day), *arguments)


def _keys(day: date) -> tuple[str, str, str]:
    tag = f"{PREFIX}:{{ledger:{day.isoformat()}}}"
    return f"{tag}:day", f"{tag}:holds", f"{tag}:unbooked"


def _admission(reply: list[Any]) -> Admission:
    verdict = reply[0].decode()
    if verdict == "taken":
        return Admission("taken")
    if verdict == "day":
        return Admission("day", day=date.fromordinal(_EPOCH.toordinal() + int(reply[1])))
    if verdict == "closed":
        return Admission("closed", closing=reply[1].decode(), closed_s=int(reply[2]) / 1000)
    sums = [int(each) for each in reply[2:]]
    return Admission(verdict, Sums(*sums[:3]), Sums(*sums[3:]), granted=bool(reply[1]))


def _words(call: Call, booked: bool) -> tuple[str | int, ...]:
    spent, guessed = call.spent, call.guessed
    state = (CallState.RECLAIMED, CallState.SETTLED, CallState.GUESSED, CallState.BOOKED)[
        2 * booked + (not guessed)
    ]
    usage = (spent.usage.input_tokens, spent.usage.output_tokens)
    detail = "" if booked or guessed else json.dumps([spent.provider, spent.model, *usage])
    return call.call_id, int(state), call.user, spent.nano_usd, detail


def _call(day: date, call_id: str, user: str, nano_usd: str, detail: str) -> Call:
    if not detail:
        return as_held(UserId(user), call_id, day, int(nano_usd))
    provider, model, *tokens = json.loads(detail)
    return Call(UserId(user), call_id, day, Spent(provider, model, Usage(*tokens), int(nano_usd)))
