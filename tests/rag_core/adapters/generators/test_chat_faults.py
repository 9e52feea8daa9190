"""Whatever a provider or the network does, the generator says it in rag_core's own errors."""

from __future__ import annotations

import pytest

from rag_core.adapters.generators.chat_completions import ChatCompletionsGenerator
from rag_core.adapters.llama_tokenizer import LlamaTokenizer
from rag_core.domain import Prompt
from rag_core.errors import (
    ConfigurationError,
    ProviderMisbehaved,
    ProviderOutOfCredit,
    ProviderRateLimited,
    ProviderRejected,
    ProviderTimeout,
    ProviderUnavailable,
    RagError,
)
from tests.rag_core.adapters.generators.conftest import (
    DONE,
    Play,
    PlayingServer,
    answer,
    event,
    streamed,
)

STATUSES: list[tuple[int, type[RagError]]] = [
    (400, ProviderRejected),
    (401, ProviderRejected),
    (402, ProviderOutOfCredit),
    (403, ProviderRejected),
    (404, ProviderRejected),
    (408, ProviderTimeout),
    (422, ProviderRejected),
    (429, ProviderRateLimited),
    (500, ProviderUnavailable),
    (502, ProviderUnavailable),
    (503, ProviderUnavailable),
    (504, ProviderTimeout),
]


async def test_each_status_has_its_error_streaming_or_not(
    chat_generator: ChatCompletionsGenerator,
    server: PlayingServer,
    prompt: Prompt,
    subtests: pytest.Subtests,
) -> None:
    for status, error in STATUSES:
        with subtests.test(status=status, error=error):
            server.plays = [Play(status, body=b'{"error": "no"}')]
            server.requests.clear()

            with pytest.raises(RagError) as plain:
                await chat_generator.generate(prompt, max_tokens=9)
            with pytest.raises(RagError) as streaming:
                await streamed(chat_generator, prompt)

            assert type(plain.value) is error
            assert type(streaming.value) is error
            assert str(status) in str(plain.value)
            assert len(server.requests) == 2, "nothing is retried here"


async def test_retry_after_is_carried_in_seconds(
    chat_generator: ChatCompletionsGenerator,
    server: PlayingServer,
    prompt: Prompt,
    subtests: pytest.Subtests,
) -> None:
    for status in [429, 503]:
        for headers, seconds in [
            ({"Retry-After": "17"}, 17.0),
            (
                {
                    "Date": "Wed, 21 Oct 2026 07:28:00 GMT",
                    "Retry-After": "Wed, 21 Oct 2026 07:28:30 GMT",
                },
                30.0,
            ),
            ({"Retry-After": "soon"}, None),
            ({}, None),
        ]:
            with subtests.test(headers=headers, seconds=seconds, status=status):
                server.plays = [Play(status, headers)]

                with pytest.raises(ProviderUnavailable) as raised:
                    await chat_generator.generate(prompt, max_tokens=9)

                assert raised.value.retry_after_s == seconds


async def test_a_body_of_another_shape_is_the_providers_misbehaviour(
    chat_generator: ChatCompletionsGenerator,
    server: PlayingServer,
    prompt: Prompt,
    subtests: pytest.Subtests,
) -> None:
    for body in [
        b"<html>gateway</html>",
        b"",
        b"\xff\xfe",
        b"null",
        b"[]",
        b'"text"',
        b"{}",
        b'{"choices": []}',
        b'{"choices": null}',
        b'{"choices": "x"}',
        b'{"choices": [1]}',
        b'{"choices": [{}]}',
        b'{"choices": [{"message": null}]}',
        b'{"choices": [{"message": "hi"}]}',
        answer(None),
        answer(""),
        answer(" \n"),
        answer(7),
    ]:
        with subtests.test(body=body):
            server.plays = [Play(body=body)]

            with pytest.raises(ProviderMisbehaved):
                await chat_generator.generate(prompt, max_tokens=9)


async def test_a_stream_of_another_shape_or_without_an_end_is_misbehaviour(
    chat_generator: ChatCompletionsGenerator,
    server: PlayingServer,
    prompt: Prompt,
    subtests: pytest.Subtests,
) -> None:
    for body in [
        b"data: <html>\n\n",
        b"data: 7\n\n",
        b'data: {"error": {"message": "overheated"}}\n\n',
        b'data: {"choices": [{"delta": null}]}\n\n' + DONE,
        event("Of gopher"),
        event("Of gopher") + DONE,
        event(None, "stop") + DONE,
        DONE,
        b"",
    ]:
        with subtests.test(body=body):
            server.plays = [Play(body=body)]

            with pytest.raises(ProviderMisbehaved):
                await streamed(chat_generator, prompt)


async def test_a_cut_connection_is_unavailability(
    chat_generator: ChatCompletionsGenerator, server: PlayingServer, prompt: Prompt
) -> None:
    server.plays = [Play(body=b'{"choices"', then="cut")]

    with pytest.raises(ProviderUnavailable):
        await chat_generator.generate(prompt, max_tokens=9)


async def test_half_a_stream_gives_its_pieces_and_then_the_error(
    chat_generator: ChatCompletionsGenerator, server: PlayingServer, prompt: Prompt
) -> None:
    server.plays = [Play(body=event("Of ") + event("gopher"), then="cut")]
    stream = chat_generator.stream(prompt, max_tokens=9)

    assert [await anext(stream), await anext(stream)] == ["Of ", "gopher"]
    with pytest.raises(ProviderUnavailable):
        await anext(stream)


async def test_a_refused_connection_is_unavailability(
    tokenizer: LlamaTokenizer, prompt: Prompt, unused_tcp_port: int
) -> None:
    absent = ChatCompletionsGenerator(
        "local", "m", tokenizer=tokenizer, base_url=f"http://127.0.0.1:{unused_tcp_port}/v1"
    )

    with pytest.raises(ProviderUnavailable):
        await absent.generate(prompt, max_tokens=9)
    with pytest.raises(ProviderUnavailable):
        await streamed(absent, prompt)
    await absent.aclose()


@pytest.mark.parametrize("body", [b"", event("Of ")])
async def test_a_stalled_provider_times_out(
    server: PlayingServer, tokenizer: LlamaTokenizer, prompt: Prompt, body: bytes
) -> None:
    server.plays = [Play(body=body, then="stall")]
    hasty = ChatCompletionsGenerator(
        "huggingface", "m", tokenizer=tokenizer, base_url=server.url, timeout_s=0.05
    )

    with pytest.raises(ProviderTimeout):
        await hasty.generate(prompt, max_tokens=9)
    with pytest.raises(ProviderTimeout):
        await streamed(hasty, prompt)
    await hasty.aclose()


def test_a_wrong_base_url_is_refused_at_once(
    tokenizer: LlamaTokenizer, subtests: pytest.Subtests
) -> None:
    for base_url in ["http://[::1", "http://:99999/v1", "localhost:8000/v1", "ftp://host/v1"]:
        with subtests.test(base_url=base_url), pytest.raises(ConfigurationError, match="base_url"):
            ChatCompletionsGenerator("huggingface", "m", tokenizer=tokenizer, base_url=base_url)
