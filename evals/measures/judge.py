"""The judge: an LLM behind an OpenAI-style server that grades answers, cached and capped."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from evals.measures.judge_cache import JudgeBudget, JudgeCache, JudgeReply
from rag_core.domain import NO_USAGE, Usage

if TYPE_CHECKING:
    from openai.types.chat import ChatCompletion

T = TypeVar("T")

RULES = "You are a careful grader. Reply with one JSON object and nothing else."
# Chosen: far above what a verdict on a long answer takes.
MAX_TOKENS = 2048
TIMEOUT_S = 120.0


class JudgeFailed(Exception):
    """The judge gave no usable verdict; the text says why."""


class Judge:
    """Asks `model` at `base_url`; a request that was answered before is not paid for again.

    Every call is: one whose reply cannot be used at what it took, one that failed on the server or
    was not answered in time at the most that it can have used. Everything is to be judged `repeats`
    times, so that its agreement with itself is seen.
    """

    def __init__(
        self,
        *,
        base_url: str,
        model: str,
        cache: JudgeCache,
        budget: JudgeBudget,
        api_key: str = "",
        max_retries: int = 2,
        repeats: int = 1,
    ) -> None:
        from openai import AsyncOpenAI

        # The client refuses to start without a key; servers of one's own often want none.
        self._client = AsyncOpenAI(
            base_url=base_url,
            api_key=api_key or "none",
            max_retries=max_retries,
            timeout=TIMEOUT_S,
        )
        self._base_url, self.model = base_url, model
        self._calls, self.repeats = 1 + max_retries, repeats
        self._cache, self.budget = cache, budget

    async def close(self) -> None:
        """Close the connections to the server."""
        await self._client.close()

    async def ask(self, prompt: str, parse: Callable[[str], T], *, repeat: int = 0) -> T:
        """The judge's reply to `prompt`, understood by `parse`.

        `repeat` counts the times it was asked before: another one asks once more.

        `parse` gets the JSON object of the reply and raises `ValueError` when it is not what was
        asked for. Only replies that it understands are kept.

        Raises:
            JudgeFailed: the server refused, failed, or answered what cannot be understood.
            BudgetSpent: the call could cost more than is left.
        """
        request: dict[str, object] = {
            "base_url": self._base_url,
            "model": self.model,
            "system": RULES,
            "prompt": prompt,
            "temperature": 0.0,
            "max_tokens": MAX_TOKENS,
            "repeat": repeat,
        }
        known = self._cache.get(request)
        reply = known or await self._pay(prompt)
        try:
            result = parse(_json_object(reply.text))
        except ValueError as error:
            raise JudgeFailed(f"the judge's reply cannot be understood: {_short(error)}") from error
        if known is None:
            self._cache.put(request, reply)
        return result

    async def _pay(self, prompt: str) -> JudgeReply:
        from openai import APIError

        # No tokenizer of the judge is at hand: no text has more tokens than UTF-8 bytes.
        most = Usage(len((RULES + prompt).encode()) + 16, MAX_TOKENS)
        reserved, used = self.budget.reserve(_times(most, self._calls)), NO_USAGE
        try:
            completion, retries = await self._call(prompt)
            # What a failed call used is not told, nor by servers that do not count.
            used = _times(most, retries) + (_usage(completion) or most)
        except (APIError, json.JSONDecodeError) as error:
            used = _times(most, self._calls) if _may_be_billed(error) else NO_USAGE
            raise JudgeFailed(f"the judge's server failed: {_short(error)}") from error
        finally:
            self.budget.settle(reserved, used)
        return JudgeReply(_text(completion), used)

    async def _call(self, prompt: str) -> tuple[ChatCompletion, int]:
        """What the server sent, and how many calls failed before it did."""
        raw = await self._client.chat.completions.with_raw_response.create(
            model=self.model,
            messages=[
                {"role": "system", "content": RULES},
                {"role": "user", "content": prompt},
            ],
            temperature=0.0,
            max_tokens=MAX_TOKENS,
            response_format={"type": "json_object"},
        )
        return raw.parse(), raw.retries_taken


def _times(usage: Usage, calls: int) -> Usage:
    return Usage(usage.input_tokens * calls, usage.output_tokens * calls)


def _may_be_billed(error: Exception) -> bool:
    """Not for a request that the server refused, or that never reached it."""
    from openai import APIConnectionError, APIStatusError, APITimeoutError

    if isinstance(error, APIStatusError):
        return error.status_code >= 500
    return isinstance(error, APITimeoutError) or not isinstance(error, APIConnectionError)


# Servers answer 200 with all sorts of bodies, and the client does not check them.
def _usage(completion: ChatCompletion) -> Usage | None:
    counted = getattr(completion, "usage", None)
    return Usage(counted.prompt_tokens, counted.completion_tokens) if counted else None


def _text(completion: ChatCompletion) -> str:
    choices = getattr(completion, "choices", None)
    text: str | None = choices[0].message.content if choices else None
    if not text:
        raise JudgeFailed("the judge's server sent no reply in its answer")
    return text


def _json_object(text: str) -> str:
    """The outermost braces of `text`: models wrap JSON in prose and code fences."""
    start, end = text.find("{"), text.rfind("}")
    if not 0 <= start < end:
        raise ValueError(f"no JSON object in {text[:60]!r}")
    return text[start : end + 1]


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:160] or type(error).__name__
