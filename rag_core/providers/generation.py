"""From a prompt to an answer: have it completed in time, check what was written, price it."""

from __future__ import annotations

import asyncio
import math
from contextlib import aclosing
from copy import copy
from dataclasses import dataclass, field

from msgspec.structs import replace

from rag_core.budget.alerts import output_budget
from rag_core.budget.spending import Spending
from rag_core.cache.keys import flight_key
from rag_core.cache.single_flight import Emit, FleetFlight, FleetWork
from rag_core.clock import Clock
from rag_core.domain.answer import (
    BROKEN_OFF_TEXT,
    Answer,
    Flag,
    Provenance,
    check_completion,
    flags_of,
)
from rag_core.domain.completion import Completion, Generator
from rag_core.domain.context import Context
from rag_core.domain.cost import Usage
from rag_core.domain.options import Options
from rag_core.domain.prompt import RULES, Prompt, assemble_prompt, count_prompt, prompt_version
from rag_core.domain.question import Question
from rag_core.domain.tokens import Tokenizer
from rag_core.domain.user import UserId
from rag_core.errors import ProviderTimeout, ProviderUnavailable, RagError
from rag_core.events import LeakBlocked, Listener
from rag_core.guard.deadline import Deadline, seconds_left
from rag_core.providers.call import Call, Pay, unpaid
from rag_core.providers.paying import paid_by
from rag_core.providers.router import FAILURES, Router
from rag_core.safety.leaks import LeakFilter

FOLLOWING_SHARE = 0.95
"""Of a request's time, where another process generates: if it gives up in time, it knows why."""

GENERATION_SHARE = 0.9
"""Of the time that is left when generation begins; the rest is for doing without."""

_BACKSTOP_SHARE = 0.93
"""Where a generator has no guard that holds it to its deadline; later, for a guard that finds a
provider too slow tells its breaker, and one that is cancelled does not."""


@dataclass(slots=True)
class Draft:
    """What is being written: by whom, and what of it was shown already."""

    prompt: Prompt
    shown: LeakFilter | None
    tight: bool = False
    """Whether the budget left it fewer tokens than the configuration."""
    generator: Generator = field(init=False)
    completion: Completion = field(init=False)


class BrokenOff(ProviderUnavailable):
    """The provider failed after a part of its text had been seen; `answer` holds that part."""

    def __init__(self, problem: str, answer: Answer) -> None:
        super().__init__(problem)
        self.answer = answer


class Generation:
    """Steps 6 and 7 of the pipeline, as far as the providers go.

    Args:
        max_tokens: limit of the output.
        canary: a secret in the system rules; a completion that holds it is a leak.
        rules: of the system turn.
    """

    def __init__(
        self,
        router: Router,
        *,
        clock: Clock,
        tokenizer: Tokenizer,
        fleet: FleetFlight,
        max_tokens: int,
        canary: str,
        listener: Listener,
        spending: Spending | None = None,
        rules: str = RULES,
    ) -> None:
        self._rules, self.prompt_version = rules, prompt_version(rules)
        self._router = router
        self._spending = spending
        self._clock = clock
        self._tokenizer = tokenizer
        self._fleet = fleet
        self.max_tokens = max_tokens
        self._canary = canary
        self._listener = listener
        self.identity = router.identity
        """What decides the completion of a given prompt, beside the configuration."""

    def chosen(self, options: Options) -> Generation:
        """The same, as `options` say; what a key of one's own pays for costs nobody here."""
        other = copy(self)
        other._router = self._router.chosen(options)
        other.max_tokens = min(self.max_tokens, options.max_tokens or self.max_tokens)
        other.identity = (*other._router.identity, *options.identity)
        if options.key is not None:
            other._spending = None
        return other

    async def once(self, user: UserId, evidence: str, work: FleetWork) -> Answer:
        """`work`, here or in the process of the fleet that began it on the same evidence first.

        Raises:
            ProviderTimeout: no process had an answer within the request's time.
        """
        try:
            async with asyncio.timeout(seconds_left(math.inf) * FOLLOWING_SHARE):
                answer, led = await self._fleet.run(flight_key(user, evidence), work)
        except TimeoutError as error:
            raise ProviderTimeout("no process had an answer within the request's time") from error
        return answer if led else answer.again(Provenance.REVALIDATED)

    async def draft(
        self, user: UserId, question: Question, context: Context, emit: Emit | None
    ) -> Draft:
        """What a provider writes within the request's time; to `emit` in pieces, if given.

        `user` pays.

        Raises:
            ProviderUnavailable: refused, cut, timed out or rate limited, each in its turn.
            BrokenOff: the provider failed after a part of its text had been shown.
            ProviderError: the provider answered, but not usefully.
        """
        prompt = assemble_prompt(question, context, canary=self._canary, rules=self._rules)
        draft = Draft(prompt, LeakFilter(prompt, emit) if emit else None)
        left_s = seconds_left(math.inf)
        try:
            with Deadline(left_s * GENERATION_SHARE, self._clock).applied():
                async with asyncio.timeout(left_s * _BACKSTOP_SHARE):
                    await self._write(draft, user)
        except (TimeoutError, *FAILURES) as error:
            if draft.shown and draft.shown.text:
                raise self._broken_off(draft, draft.shown, error) from error
            if isinstance(error, RagError):
                raise
            raise ProviderTimeout("no provider answered within the request's time") from error
        return draft

    async def _write(self, draft: Draft, user: UserId) -> None:
        share = await self._spending.used_share(user) if self._spending else 0.0
        limit = output_budget(self.max_tokens, share)
        draft.tight = limit < self.max_tokens
        call = Call(
            draft.prompt,
            limit,
            streamed=draft.shown is not None,
            count=self._tokenizer.count,
            pay=self._pay(user, draft.prompt, limit),
        )
        async with aclosing(self._router.write(call, hedge=not draft.tight)) as items:
            async for draft.generator, item in items:
                if isinstance(item, Completion):
                    draft.completion = item
                elif draft.shown is not None:
                    draft.shown.feed(item)

    def _pay(self, user: UserId, prompt: Prompt, max_tokens: int) -> Pay:
        if self._spending is None:
            return unpaid
        tokens = count_prompt(prompt, self._tokenizer)
        return paid_by(user, self._spending, prompt_tokens=tokens, max_tokens=max_tokens)

    def _broken_off(self, draft: Draft, shown: LeakFilter, error: Exception) -> BrokenOff:
        """What was shown becomes an answer that ends with a marker, for its reader to see too."""
        count = self._tokenizer.count
        usage = Usage(count_prompt(draft.prompt, self._tokenizer), count(shown.text))
        draft.completion = Completion(shown.text, usage, draft.generator.model)
        draft.shown = None
        answer = self.checked(draft, "")
        shown.add(f"\n\n{BROKEN_OFF_TEXT}")
        text, flags = f"{answer.text}\n\n{BROKEN_OFF_TEXT}", (*answer.flags, Flag.BROKEN_OFF)
        return BrokenOff(str(error), replace(answer, text=text, flags=flags))

    def checked(self, draft: Draft, evidence: str) -> Answer:
        """The answer, FRESH, or REFUSED where the draft leaks; shows what was held back if not."""
        completion, generator = draft.completion, draft.generator
        checked = check_completion(completion.text, draft.prompt)
        if checked.leaked:
            self._listener(LeakBlocked(generator.name, completion.model))
        elif draft.shown:
            draft.shown.end()
        cut: tuple[Flag, ...] = ()
        if completion.finish_reason == "length":
            cut = (Flag.OUTPUT_TRUNCATED, *((Flag.BUDGET_TIGHT,) if draft.tight else ()))
        return Answer(
            text=checked.text,
            provenance=Provenance.REFUSED if checked.leaked else Provenance.FRESH,
            citations=checked.citations,
            usage=completion.usage,
            cost_usd=generator.prices.cost_usd(completion.usage),
            generator=generator.name,
            model=completion.model,
            flags=flags_of(draft.prompt.question) + checked.flags + cut,
            evidence=evidence,
        )
