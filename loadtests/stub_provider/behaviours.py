"""How a provider may behave: one small class each, changing the reply that was planned so far.

Each may hold for all calls, for a share of them, or for a window counted in calls. They are
applied in the order in which they are given; of two that contradict each other the last one holds.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from random import Random
from typing import Annotated, Any, Literal

import msgspec

from loadtests.stub_provider.reply import Call, Reply

_Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
_Seconds = Annotated[float, msgspec.Meta(ge=0)]
_Number = Annotated[int, msgspec.Meta(ge=0)]

_AUXILIARY = re.compile(
    r"\b(is|are|was|were|has|have|had|shall|will|would|must|may|can|could|should|did|does)\b"
)
_UNRELATED = (
    "The harbour of Rotterdam was widened in the spring of 1923.",
    "Copper melts at a lower temperature than iron does.",
    "The second train leaves from the platform behind the mill.",
)


def _snake_case(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()


class Behaviour(msgspec.Struct, forbid_unknown_fields=True, kw_only=True,
                tag_field="behaviour", tag=_snake_case):  # fmt: skip
    """Which calls it holds for: a `share` of those from `from_call` on and before `until_call`.

    Calls are numbered from 0, anew with each PUT /control. The same `seed` chooses the same calls.
    """

    share: _Share = 1.0
    from_call: _Number = 0
    until_call: _Number | None = None
    seed: int = 0

    def holds(self, number: int, random: Random) -> bool:
        """Whether it holds for the call of this `number`."""
        if number < self.from_call or (self.until_call is not None and number >= self.until_call):
            return False
        return self.share >= 1 or random.random() < self.share

    def change(self, reply: Reply, call: Call, random: Random) -> Reply:
        """The reply to `call`, as this behaviour has it."""
        raise NotImplementedError


class Extract(Behaviour):
    """Answers with the first sentence of the first numbered source, cited [1]; the default."""

    def change(self, reply: Reply, call: Call, random: Random) -> Reply:
        """See `Behaviour`."""
        return replace(reply, text=call.extract())


class Say(Behaviour):
    """Answers with `text`."""

    text: str

    def change(self, reply: Reply, call: Call, random: Random) -> Reply:
        """See `Behaviour`."""
        return replace(reply, text=self.text)


class ConfidentlyWrong(Behaviour):
    """Says the contrary of the first source, or something unrelated (`how`), cited [1]."""

    how: Literal["negation", "unrelated"] = "negation"

    def change(self, reply: Reply, call: Call, random: Random) -> Reply:
        """See `Behaviour`."""
        quote = call.quote() if self.how == "negation" else None
        text = _negated(quote) if quote else random.choice(_UNRELATED)
        return replace(reply, text=f"{text} [1]")


class Empty(Behaviour):
    """Answers with no text at all, and says that it is done."""

    def change(self, reply: Reply, call: Call, random: Random) -> Reply:
        """See `Behaviour`."""
        return replace(reply, text="")


class Latency(Behaviour):
    """Takes `seconds` before the first token, and `per_token_s` for each."""

    seconds: _Seconds = 1.0
    per_token_s: _Seconds = 0.0

    def change(self, reply: Reply, call: Call, random: Random) -> Reply:
        """See `Behaviour`."""
        return _slower(reply, self.seconds, self.per_token_s)


class LognormalLatency(Behaviour):
    """Takes a heavy-tailed time before the first token: its median, and the sigma of its log."""

    median_s: _Seconds = 0.5
    sigma: _Seconds = 1.0
    per_token_s: _Seconds = 0.0

    def change(self, reply: Reply, call: Call, random: Random) -> Reply:
        """See `Behaviour`."""
        return _slower(
            reply, self.median_s * random.lognormvariate(0, self.sigma), self.per_token_s
        )


class SlowDrip(Behaviour):
    """Begins at once, and takes `per_token_s` for each token."""

    per_token_s: _Seconds = 1.0

    def change(self, reply: Reply, call: Call, random: Random) -> Reply:
        """See `Behaviour`."""
        return _slower(reply, 0.0, self.per_token_s)


class Hang(Behaviour):
    """Takes the call and says nothing until the caller leaves."""

    def change(self, reply: Reply, call: Call, random: Random) -> Reply:
        """See `Behaviour`."""
        return replace(reply, hangs=True)


class ServerError(Behaviour):
    """Answers with `status`, a 5xx, and perhaps with Retry-After."""

    status: Annotated[int, msgspec.Meta(ge=500, le=599)] = 500
    retry_after_s: _Number | None = None

    def change(self, reply: Reply, call: Call, random: Random) -> Reply:
        """See `Behaviour`."""
        error = _openai_error("The server had an error", "server_error")
        return _failed(reply, self.status, error, self.retry_after_s)


class Loading(Behaviour):
    """Answers 503 in Hugging Face's words: the model is being loaded for `estimated_time` s."""

    estimated_time: _Seconds = 20.0

    def change(self, reply: Reply, call: Call, random: Random) -> Reply:
        """See `Behaviour`."""
        error = f"Model {call.model} is currently loading"
        return _failed(reply, 503, {"error": error, "estimated_time": self.estimated_time})


class RateLimit(Behaviour):
    """Answers 429, with Retry-After unless `retry_after_s` is null."""

    retry_after_s: _Number | None = 1

    def change(self, reply: Reply, call: Call, random: Random) -> Reply:
        """See `Behaviour`."""
        error = _openai_error("Rate limit reached for requests", "rate_limit_exceeded")
        return _failed(reply, 429, error, self.retry_after_s)


class OutOfCredit(Behaviour):
    """Answers 402 as Hugging Face does, or 429 `insufficient_quota` as OpenAI does (`wording`)."""

    wording: Literal["huggingface", "openai"] = "huggingface"

    def change(self, reply: Reply, call: Call, random: Random) -> Reply:
        """See `Behaviour`."""
        if self.wording == "openai":
            problem = "You exceeded your current quota, please check your plan and billing details."
            return _failed(reply, 429, _openai_error(problem, "insufficient_quota"))
        problem = "You have exceeded your monthly included credits for Inference Providers."
        return _failed(reply, 402, {"error": problem})


class ContextOverflow(Behaviour):
    """Answers 400: the prompt is longer than `limit` tokens, in the words of `wording`."""

    wording: Literal["openai", "huggingface"] = "openai"
    limit: _Number = 8192

    def change(self, reply: Reply, call: Call, random: Random) -> Reply:
        """See `Behaviour`."""
        if self.wording == "openai":
            problem = (
                f"This model's maximum context length is {self.limit} tokens. However, your "
                f"messages resulted in {self.limit + 1} tokens. Please reduce the length."
            )
            return _failed(reply, 400, _openai_error(problem, "context_length_exceeded"))
        problem = (
            f"Input validation error: `inputs` tokens + `max_new_tokens` must be <= {self.limit}. "
            f"Given: {self.limit} `inputs` tokens and 1 `max_new_tokens`"
        )
        return _failed(reply, 422, {"error": problem, "error_type": "validation"})


class ContentFilter(Behaviour):
    """Ends with finish_reason content_filter after `text`, by default before any."""

    text: str = ""

    def change(self, reply: Reply, call: Call, random: Random) -> Reply:
        """See `Behaviour`."""
        return replace(reply, text=self.text, finish_reason="content_filter")


class Refusal(Behaviour):
    """Refuses in OpenAI's `refusal` field; the content is null."""

    text: str = "I'm sorry, I cannot assist with that request."

    def change(self, reply: Reply, call: Call, random: Random) -> Reply:
        """See `Behaviour`."""
        return replace(reply, text="", refusal=self.text)


class CutMidStream(Behaviour):
    """Closes the connection after `after_tokens` tokens; unstreamed, within the body."""

    after_tokens: _Number = 3

    def change(self, reply: Reply, call: Call, random: Random) -> Reply:
        """See `Behaviour`."""
        return replace(reply, cut_after=self.after_tokens)


class Garbage(Behaviour):
    """Answers 200 with no JSON, with JSON of another shape, or with a broken event (`kind`)."""

    kind: Literal["not_json", "other_shape", "broken_event"] = "not_json"

    def change(self, reply: Reply, call: Call, random: Random) -> Reply:
        """See `Behaviour`."""
        body = {
            "not_json": b"<html><body>Bad gateway</body></html>",
            "other_shape": b'{"result": {"answer": "yes"}}',
            "broken_event": b'{"id": "1", "choices": [{"index": 0, "delta": {"con',
        }[self.kind]
        return replace(reply, body=body, events=b"data: " + body + b"\n\n")


def _negated(sentence: str) -> str:
    negated, count = _AUXILIARY.subn(r"\1 not", sentence, count=1)
    return negated if count else f"It is not true that {sentence}"


def _slower(reply: Reply, first_token_s: float, per_token_s: float) -> Reply:
    return replace(
        reply,
        first_token_s=reply.first_token_s + first_token_s,
        per_token_s=reply.per_token_s + per_token_s,
    )


def _openai_error(message: str, code: str) -> dict[str, Any]:
    return {"error": {"message": message, "type": code, "param": None, "code": code}}


def _failed(
    reply: Reply, status: int, error: dict[str, Any], retry_after_s: int | None = None
) -> Reply:
    headers = {} if retry_after_s is None else {"retry-after": str(retry_after_s)}
    return replace(reply, status=status, headers=headers, body=json.dumps(error).encode())
