"""From a prompt to an answer: have it completed in time, check what was written, price it."""

from __future__ import annotations

import asyncio
import math
from contextlib import aclosing
from dataclasses import dataclass

from rag_core.cache.keys import flight_key
from rag_core.cache.single_flight import Emit, FleetFlight, FleetWork
from rag_core.domain.answer import Answer, Flag, Provenance, check_completion, flags_of
from rag_core.domain.completion import Completion, Generator
from rag_core.domain.context import Context
from rag_core.domain.prompt import Prompt, assemble_prompt
from rag_core.domain.question import Question
from rag_core.domain.user import UserId
from rag_core.errors import ProviderTimeout
from rag_core.events import LeakBlocked, Listener
from rag_core.guard.deadline import seconds_left
from rag_core.safety.leaks import LeakFilter

FOLLOWING_SHARE = 0.95
"""Of a request's time, where another process generates: if it gives up in time, it knows why."""

GENERATION_SHARE = 0.9
"""Of the time that is left when generation begins; the rest is for doing without."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What the generator wrote, and the filter that holds back the end of a stream."""

    prompt: Prompt
    completion: Completion
    shown: LeakFilter | None


class Generation:
    """Steps 6 and 7 of the pipeline, as far as one provider goes.

    Args:
        max_tokens: limit of the output.
        canary: a secret in the system rules; a completion that holds it is a leak.
    """

    def __init__(
        self,
        generator: Generator,
        *,
        fleet: FleetFlight,
        max_tokens: int,
        canary: str,
        listener: Listener,
    ) -> None:
        self._generator = generator
        self._fleet = fleet
        self._max_tokens = max_tokens
        self._canary = canary
        self._listener = listener
        self.identity = (generator.name, generator.model)
        """What decides the completion of a given prompt, beside the configuration."""

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

    async def draft(self, question: Question, context: Context, emit: Emit | None) -> Draft:
        """What the generator says within the request's time; to `emit` in pieces, if given.

        Raises:
            ProviderUnavailable: refused, cut, timed out or rate limited.
            ProviderError: the provider answered, but not usefully.
        """
        prompt = assemble_prompt(question, context, canary=self._canary)
        shown = LeakFilter(prompt, emit) if emit else None
        try:
            async with asyncio.timeout(seconds_left(math.inf) * GENERATION_SHARE):
                return Draft(prompt, await self._complete(prompt, shown), shown)
        except TimeoutError as error:
            raise ProviderTimeout(
                "the generator did not answer within the request's time"
            ) from error

    async def _complete(self, prompt: Prompt, shown: LeakFilter | None) -> Completion:
        limit = self._max_tokens
        if shown is None:
            return await self._generator.generate(prompt, max_tokens=limit)
        async with aclosing(self._generator.stream(prompt, max_tokens=limit)) as pieces:
            async for piece in pieces:
                if isinstance(piece, Completion):
                    return piece
                shown.feed(piece)
        raise AssertionError("a generator's stream ends with its Completion")

    def checked(self, draft: Draft, evidence: str) -> Answer:
        """The answer, FRESH, or REFUSED where the draft leaks; shows what was held back if not."""
        completion, question = draft.completion, draft.prompt.question
        checked = check_completion(completion.text, draft.prompt)
        if checked.leaked:
            self._listener(LeakBlocked(self._generator.name, completion.model))
        elif draft.shown:
            draft.shown.end()
        cut = (Flag.OUTPUT_TRUNCATED,) if completion.finish_reason == "length" else ()
        return Answer(
            text=checked.text,
            provenance=Provenance.REFUSED if checked.leaked else Provenance.FRESH,
            citations=checked.citations,
            usage=completion.usage,
            cost_usd=self._generator.prices.cost_usd(completion.usage),
            generator=self._generator.name,
            model=completion.model,
            flags=flags_of(question) + checked.flags + cut,
            evidence=evidence,
        )
