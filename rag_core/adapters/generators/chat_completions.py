"""Chat completion by any OpenAI-style provider, Hugging Face among them."""

from __future__ import annotations

import asyncio
import copy
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import urlsplit

import httpx2
from huggingface_hub import (
    AsyncInferenceClient,
    ChatCompletionInputMessage,
    ChatCompletionInputStreamOptions,
)

from rag_core.adapters.generators.chat_errors import translated
from rag_core.correlation import REQUEST_ID, TRACE_PARENT
from rag_core.domain.completion import Completion
from rag_core.domain.cost import FREE, Prices, Usage
from rag_core.domain.options import KEY_FIELD
from rag_core.domain.server_url import HTTP, check_url, target
from rag_core.errors import ConfigurationError, InvalidInput, ProviderMisbehaved, ProviderRefused

if TYPE_CHECKING:
    from huggingface_hub import ChatCompletionOutput, ChatCompletionStreamOutput

    from rag_core.domain.prompt import Prompt
    from rag_core.domain.tokens import Tokenizer

# Without one, huggingface_hub would send the token of whoever is logged in to any base URL.
_NO_TOKEN = "no-token"
_IDLE_CONNECTIONS = 10
"""That are kept for the next calls: those of a burst are not."""
_EXAMPLE = "http://host:port/v1"
_HF_TOKEN = "Send one that begins with hf_"


class ChatCompletionsGenerator:
    """Asks `model` of the provider `name` by AsyncInferenceClient.chat_completion; never retries.

    With `base_url`, the OpenAI-style server there answers; without, Hugging Face's router, which
    needs a key. `timeout_s` bounds each call as a whole, a stream too. One client and its
    connections are built here and used for all calls; close them with `aclose` when done.

    Raises:
        ConfigurationError: neither a Hugging Face token nor a base URL is given, or no URL it is.
    """

    def __init__(
        self,
        name: str,
        model: str,
        *,
        tokenizer: Tokenizer,
        key: str | None = None,
        base_url: str | None = None,
        timeout_s: float = 30.0,
        prices: Prices | None = None,
        temperature: float = 0.0,
        seed: int = 0,
    ) -> None:
        if base_url:
            _check_url(base_url)
        elif not (key or "").startswith("hf_"):
            raise ConfigurationError(
                "key", "Hugging Face needs one that begins with hf_", "Set it, or a base URL"
            )
        self.name, self.model = name, model
        self.prices = prices or Prices()
        self._tokenizer = tokenizer
        self._temperature, self._seed = temperature, seed
        self._base_url, self._timeout_s = base_url, timeout_s
        self._connections = _connections()
        self._client = self._asking_with(key or _NO_TOKEN)

    def _asking_with(self, token: str) -> AsyncInferenceClient:
        client = AsyncInferenceClient(
            base_url=self._base_url or None, token=token, timeout=self._timeout_s
        )
        client._async_client = self._connections
        return client

    def __repr__(self) -> str:
        server = target(self._base_url) if self._base_url else None
        return f"ChatCompletionsGenerator({self.name!r}, model={self.model!r}, server={server!r})"

    def tuned(self, *, temperature: float | None, key: str | None) -> Self:
        """See `TunableGenerator`; not to be closed by itself."""
        other = copy.copy(self)
        if temperature is not None:
            other._temperature = temperature
        if key is not None:
            if not (self._base_url or key.startswith("hf_")):
                raise InvalidInput(KEY_FIELD, "is no token of Hugging Face", _HF_TOKEN)
            other._client, other.prices = self._asking_with(key), FREE
        return other

    async def aclose(self) -> None:
        """Close the connections; the generator is of no use afterwards."""
        await self._connections.aclose()

    async def generate(self, prompt: Prompt, *, max_tokens: int) -> Completion:
        """Answer `prompt` in at most `max_tokens` tokens; raises as Generator says."""
        with translated():
            async with asyncio.timeout(self._timeout_s):
                output = await self._client.chat_completion(
                    _turns(prompt),
                    model=self.model,
                    max_tokens=max_tokens,
                    temperature=self._temperature,
                    seed=self._seed,
                )
        choice = _first_choice(output)
        message = getattr(choice, "message", None)
        _check_answered(choice.finish_reason, getattr(message, "refusal", None))
        content = getattr(message, "content", None)
        return self._completion(prompt, content, choice.finish_reason, output.usage)

    async def stream(
        self, prompt: Prompt, *, max_tokens: int
    ) -> AsyncGenerator[str | Completion, None]:
        """Pieces of the text as they come, and the whole Completion last.

        Closing the iterator early closes the HTTP stream, so that the provider may stop.
        """
        pieces: list[str] = []
        finish_reason, usage = None, None
        async with aclosing(self._chunks(prompt, max_tokens)) as chunks:
            async for chunk in chunks:
                usage = chunk.usage or usage
                if not chunk.choices:  # the last chunk carries the usage only
                    continue
                choice = _first_choice(chunk)
                finish_reason = choice.finish_reason or finish_reason
                _check_answered(finish_reason, getattr(choice.delta, "refusal", None))
                if piece := getattr(choice.delta, "content", None):
                    pieces.append(piece)
                    yield piece
        if finish_reason is None:
            raise ProviderMisbehaved("the provider's stream ended in the middle of the answer")
        yield self._completion(prompt, "".join(pieces), finish_reason, usage)

    async def _chunks(
        self, prompt: Prompt, max_tokens: int
    ) -> AsyncGenerator[ChatCompletionStreamOutput, None]:
        ends_at = asyncio.get_running_loop().time() + self._timeout_s
        async with AsyncExitStack() as stack:
            client = self._client_of_one_stream(stack)
            with translated():
                async with asyncio.timeout_at(ends_at):
                    chunks = await client.chat_completion(
                        _turns(prompt),
                        model=self.model,
                        max_tokens=max_tokens,
                        stream=True,
                        stream_options=ChatCompletionInputStreamOptions(include_usage=True),
                        temperature=self._temperature,
                        seed=self._seed,
                    )
                async for chunk in _each_by(ends_at, aiter(chunks)):
                    yield chunk

    def _client_of_one_stream(self, stack: AsyncExitStack) -> AsyncInferenceClient:
        """The client with the connections of all, but streams of its own, closed by `stack`.

        AsyncInferenceClient keeps every stream it ever opened until it is closed itself.
        """
        client = copy.copy(self._client)
        client.exit_stack = stack
        return client

    def _completion(
        self, prompt: Prompt, text: str | None, finish_reason: str | None, usage: Any
    ) -> Completion:
        if not isinstance(text, str) or not text.strip():
            raise ProviderMisbehaved("the provider's answer holds no text")
        return Completion(
            text,
            self._usage(prompt, text, usage),
            self.model,
            "length" if finish_reason == "length" else "stop",
        )

    def _usage(self, prompt: Prompt, text: str, usage: Any) -> Usage:
        """What the server counted; where it did not count, what our tokenizer does."""
        sent = getattr(usage, "prompt_tokens", None)
        received = getattr(usage, "completion_tokens", None)
        count = self._tokenizer.count
        return Usage(
            sent if sent is not None else sum(count(turn.content) for turn in prompt.messages),
            received if received is not None else count(text),
        )


def _connections() -> httpx2.AsyncClient:
    """Connections that say which request they ask for, and read an error's body, however it is
    sent: it says what kind it is.

    Those of huggingface_hub read it in a stream only where the response says how long it is, and
    keep the hundred-and-first call waiting, unseen. How many may be under way the guard says.
    """
    return httpx2.AsyncClient(
        limits=httpx2.Limits(max_connections=None, max_keepalive_connections=_IDLE_CONNECTIONS),
        follow_redirects=True,
        timeout=None,  # each call has its own
        event_hooks={"request": [_tell_whose], "response": [_read_error]},
    )


async def _tell_whose(request: httpx2.Request) -> None:
    """The provider's own logs and traces can then be read beside ours."""
    if request_id := REQUEST_ID.get():
        request.headers["X-Request-ID"] = request_id
    if trace := TRACE_PARENT.get():
        request.headers["traceparent"] = trace


async def _read_error(response: httpx2.Response) -> None:
    if response.is_error:
        await response.aread()


async def _each_by(
    ends_at: float, chunks: AsyncIterator[ChatCompletionStreamOutput]
) -> AsyncGenerator[ChatCompletionStreamOutput, None]:
    """All chunks, if the last of them comes by `ends_at` of the loop's clock."""
    while True:
        async with asyncio.timeout_at(ends_at):
            chunk = await anext(chunks, None)
        if chunk is None:
            return
        yield chunk


def _check_answered(finish_reason: str | None, refusal: object) -> None:
    if refusal or finish_reason == "content_filter":
        who = "the model" if refusal else "the provider's content filter"
        raise ProviderRefused(f"{who} refused to answer")


def _check_url(base_url: str) -> None:
    check_url(base_url, setting="base_url", schemes=HTTP, example=_EXAMPLE)
    parts = urlsplit(base_url)
    if not parts.hostname or parts.port == 0:
        raise ConfigurationError("base_url", "names no host", f"Like {_EXAMPLE}")


def _turns(prompt: Prompt) -> list[dict[Any, Any] | ChatCompletionInputMessage]:
    return [{"role": message.role, "content": message.content} for message in prompt.messages]


def _first_choice(output: ChatCompletionOutput | ChatCompletionStreamOutput) -> Any:
    choices = output.choices
    if not isinstance(choices, list) or not choices:
        raise ProviderMisbehaved("the provider's answer has no choices")
    return choices[0]
