"""What the generator of chat completions sends, counts, keeps and hides."""

from __future__ import annotations

import asyncio
import gc
from contextlib import aclosing

import httpx2
import pytest

from rag_core.adapters.generators.chat_completions import ChatCompletionsGenerator
from rag_core.adapters.llama_tokenizer import LlamaTokenizer
from rag_core.correlation import REQUEST_ID, TRACE_PARENT
from rag_core.domain import Completion, Prompt
from rag_core.errors import ConfigurationError, ProviderRejected
from tests.rag_core.adapters.generators.conftest import (
    DONE,
    TOKEN,
    USAGE_EVENT,
    Play,
    PlayingServer,
    answer,
    event,
    streamed,
)


async def test_a_closed_stream_closes_the_connection_to_the_provider(
    chat_generator: ChatCompletionsGenerator, server: PlayingServer, prompt: Prompt
) -> None:
    server.plays = [Play(body=event("Of "), then="stall")]

    async with aclosing(chat_generator.stream(prompt, max_tokens=9)) as stream:
        assert await anext(stream) == "Of "
        assert not server.left.is_set()

    await asyncio.wait_for(server.left.wait(), timeout=5)


async def test_the_provider_is_told_which_request_it_is_asked_for(
    chat_generator: ChatCompletionsGenerator, server: PlayingServer, prompt: Prompt
) -> None:
    """In one piece or as it comes; and outside of any request nothing of the kind."""
    trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    streamed_play = Play(body=event("Of gopher wood [1].", "stop") + USAGE_EVENT + DONE)
    server.plays = [Play(body=answer()), Play(body=answer()), streamed_play, streamed_play]
    await chat_generator.generate(prompt, max_tokens=9)
    tokens = REQUEST_ID.set("r1"), TRACE_PARENT.set(trace)
    await chat_generator.generate(prompt, max_tokens=9)
    await streamed(chat_generator, prompt)
    REQUEST_ID.reset(tokens[0])
    TRACE_PARENT.reset(tokens[1])
    await streamed(chat_generator, prompt)
    told = [(sent.get("x-request-id"), sent.get("traceparent")) for sent in server.headers]
    assert told == [(None, None), ("r1", trace), ("r1", trace), (None, None)]


async def test_calls_share_one_connection(
    chat_generator: ChatCompletionsGenerator, server: PlayingServer, prompt: Prompt
) -> None:
    server.plays = [Play(body=answer())]

    for _ in range(3):
        await chat_generator.generate(prompt, max_tokens=9)

    assert server.connections == 1


async def test_nothing_of_a_finished_or_closed_stream_is_kept(
    chat_generator: ChatCompletionsGenerator, server: PlayingServer, prompt: Prompt
) -> None:
    """The client of huggingface_hub keeps every stream that it opened until it is closed."""
    server.plays = [Play(body=event("Of wood", "stop") + USAGE_EVENT + DONE)]
    await streamed(chat_generator, prompt)
    after_one = responses_in_memory()

    for _ in range(3):
        await streamed(chat_generator, prompt)
        async with aclosing(chat_generator.stream(prompt, max_tokens=9)) as stream:
            await anext(stream)

    assert responses_in_memory() == after_one


def responses_in_memory() -> int:
    gc.collect()
    return sum(type(thing) is httpx2.Response for thing in gc.get_objects())


async def test_what_is_sent_is_the_chat_the_model_and_the_budget(
    chat_generator: ChatCompletionsGenerator, server: PlayingServer, prompt: Prompt
) -> None:
    server.plays = [Play(body=answer())]

    await chat_generator.generate(prompt, max_tokens=9)

    (sent,) = server.requests
    assert [turn["role"] for turn in sent["messages"]] == ["system", "user"]
    assert sent["messages"][1]["content"] == prompt.messages[1].content
    assert (sent["model"], sent["max_tokens"], sent["temperature"]) == ("some/model", 9, 0.0)
    assert server.headers[0]["authorization"] == f"Bearer {TOKEN}"


async def test_the_usage_is_what_the_server_counted(
    chat_generator: ChatCompletionsGenerator, server: PlayingServer, prompt: Prompt
) -> None:
    usage = {"prompt_tokens": 70, "completion_tokens": 2, "total_tokens": 72}
    whole_stream = Play(body=event("Of ") + event("wood", "length") + USAGE_EVENT + DONE)
    server.plays = [Play(body=answer(usage=usage)), whole_stream]

    completion = await chat_generator.generate(prompt, max_tokens=9)
    *_, last = await streamed(chat_generator, prompt)

    assert isinstance(last, Completion)
    assert (completion.usage.input_tokens, completion.usage.output_tokens) == (70, 2)
    assert last.usage == completion.usage
    assert last.finish_reason == "length"


async def test_where_the_server_does_not_count_our_tokenizer_does(
    chat_generator: ChatCompletionsGenerator,
    server: PlayingServer,
    prompt: Prompt,
    tokenizer: LlamaTokenizer,
) -> None:
    server.plays = [Play(body=answer()), Play(body=event("Of wood", "stop") + DONE)]

    completion = await chat_generator.generate(prompt, max_tokens=9)
    *_, last = await streamed(chat_generator, prompt)

    sent = sum(tokenizer.count(turn.content) for turn in prompt.messages)
    assert completion.usage.input_tokens == sent
    assert completion.usage.output_tokens == tokenizer.count(completion.text)
    assert isinstance(last, Completion)
    assert last.usage.input_tokens == sent
    assert last.usage.output_tokens == tokenizer.count("Of wood")


async def test_the_token_shows_in_no_repr_and_no_error(
    chat_generator: ChatCompletionsGenerator, server: PlayingServer, prompt: Prompt
) -> None:
    """Not even when the provider's own message quotes it."""
    server.plays = [Play(401, body=f'{{"error": "bad credential {TOKEN}"}}'.encode())]

    with pytest.raises(ProviderRejected) as raised:
        await chat_generator.generate(prompt, max_tokens=9)

    assert "bad credential" in str(raised.value)
    assert TOKEN not in str(raised.value)
    assert TOKEN not in repr(chat_generator)


async def test_without_a_token_no_stored_login_is_sent_to_a_base_url(
    server: PlayingServer,
    tokenizer: LlamaTokenizer,
    prompt: Prompt,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_of-whoever-is-logged-in")
    server.plays = [Play(body=answer())]
    anonymous = ChatCompletionsGenerator(
        "huggingface", "m", tokenizer=tokenizer, base_url=server.url
    )

    await anonymous.generate(prompt, max_tokens=9)
    await anonymous.aclose()

    assert "logged-in" not in server.headers[0]["authorization"]


def test_hugging_face_itself_needs_a_hugging_face_token(
    tokenizer: LlamaTokenizer, subtests: pytest.Subtests
) -> None:
    for token in [None, "", "sk-of-another-provider"]:
        with subtests.test(key=token):
            with pytest.raises(ConfigurationError, match="hf_") as raised:
                ChatCompletionsGenerator("huggingface", "m", tokenizer=tokenizer, key=token)

            assert "another-provider" not in str(raised.value)
