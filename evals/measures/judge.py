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
    """Asks `model` at `base_url`; a request that was answered before is not paid for again."""

    def __init__(
        self,
        *,
        base_url: str,
        model: str,
        cache: JudgeCache,
        budget: JudgeBudget,
        api_key: str = "",
        max_retries: int = 2,
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
        self._cache, self.budget = cache, budget

    async def close(self) -> None:
        """Close the connections to the server."""
        await self._client.close()

    async def ask(self, prompt: str, parse: Callable[[str], T]) -> T:
        """The judge's reply to `prompt`, understood by `parse`.

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
        # No tokenizer of the judge is at hand: no text has more tokens than UTF-8 bytes.
        most = Usage(len((RULES + prompt).encode()) + 16, MAX_TOKENS)
        reserved, used = self.budget.reserve(most), NO_USAGE
        try:
            reply = await self._call(prompt, most)
            used = reply.usage
        finally:
            self.budget.settle(reserved, used)
        return reply

    async def _call(self, prompt: str, most: Usage) -> JudgeReply:
        from openai import APIError

        try:
            completion = await self._client.chat.completions.create(
                model=self.model,
                messages=[
                    {"role": "system", "content": RULES},
                    {"role": "user", "content": prompt},
                ],
                temperature=0.0,
                max_tokens=MAX_TOKENS,
                response_format={"type": "json_object"},
            )
        except (APIError, json.JSONDecodeError) as error:
            raise JudgeFailed(f"the judge's server failed: {_short(error)}") from error
        return _reply(completion, most)


def _reply(completion: ChatCompletion, most: Usage) -> JudgeReply:
    # Servers answer 200 with all sorts of bodies, and the client does not check them.
    choices = getattr(completion, "choices", None)
    text = choices[0].message.content if choices else None
    if not text:
        raise JudgeFailed("the judge's server sent no reply in its answer")
    usage = completion.usage
    # A server that does not count is booked at the most it can have used.
    used = Usage(usage.prompt_tokens, usage.completion_tokens) if usage else most
    return JudgeReply(text, used)


def _json_object(text: str) -> str:
    """The outermost braces of `text`: models wrap JSON in prose and code fences."""
    start, end = text.find("{"), text.rfind("}")
    if not 0 <= start < end:
        raise ValueError(f"no JSON object in {text[:60]!r}")
    return text[start : end + 1]


def _short(error: Exception) -> str:
    return " ".join(str(error).split())[:160] or type(error).__name__
