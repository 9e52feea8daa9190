"""Each way a provider may behave, by the stub over real HTTP, streamed and not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from loadtests.stub_provider import (
    BEHAVIOURS,
    Behaviour,
    ConfidentlyWrong,
    ContentFilter,
    ContextOverflow,
    CutMidStream,
    Empty,
    Extract,
    Garbage,
    Hang,
    Latency,
    Loading,
    LognormalLatency,
    Obey,
    OutOfCredit,
    RateLimit,
    Refusal,
    Say,
    ServerError,
    SlowDrip,
    StubProvider,
    running_stub,
)
from rag_core import errors
from rag_core.adapters.generators.chat_completions import ChatCompletionsGenerator
from rag_core.adapters.llama_tokenizer import LlamaTokenizer
from rag_core.domain import Completion, Prompt
from tests.rag_core.embedded.processes import eventually

QUOTE = "Noah built the ark of gopher wood, as God told him. [1]"

FAILING: list[tuple[Behaviour, type[errors.RagError]]] = [
    (Empty(), errors.ProviderMisbehaved),
    (ServerError(), errors.ProviderUnavailable),
    (ServerError(503), errors.ProviderUnavailable),
    (Loading(), errors.ProviderLoading),
    (RateLimit(), errors.ProviderRateLimited),
    (OutOfCredit(), errors.ProviderOutOfCredit),
    (OutOfCredit("openai"), errors.ProviderOutOfCredit),
    (ContextOverflow(), errors.ContextOverflow),
    (ContextOverflow("huggingface"), errors.ContextOverflow),
    (ContentFilter(), errors.ProviderRefused),
    (ContentFilter("Some words, and then"), errors.ProviderRefused),
    (Refusal(), errors.ProviderRefused),
    (CutMidStream(), errors.ProviderUnavailable),
    (Garbage("not_json"), errors.ProviderMisbehaved),
    (Garbage("other_shape"), errors.ProviderMisbehaved),
    (Garbage("broken_event"), errors.ProviderMisbehaved),
]
ANSWERING: list[tuple[Behaviour, str]] = [
    (Extract(), QUOTE),
    (Obey(sentences=1), QUOTE),
    (Say("Of gopher wood [1]."), "Of gopher wood [1]."),
    (Latency(0.001, 0.001), QUOTE),
    (LognormalLatency(0.001, 0.5), QUOTE),
]
ENDLESS: list[Behaviour] = [Hang(), SlowDrip(3_600), Latency(3_600)]


@pytest.fixture
async def stub() -> AsyncGenerator[StubProvider, None]:
    async with running_stub() as started:
        yield started


def generator_of(
    stub: StubProvider, tokenizer: LlamaTokenizer, timeout_s: float = 60.0
) -> ChatCompletionsGenerator:
    return ChatCompletionsGenerator(
        "stub", "stub", tokenizer=tokenizer, base_url=stub.url, timeout_s=timeout_s
    )


@pytest.fixture
async def provider(
    stub: StubProvider, tokenizer: LlamaTokenizer
) -> AsyncGenerator[ChatCompletionsGenerator, None]:
    async with aclosing(generator_of(stub, tokenizer)) as made:
        yield made


async def ended(stream: AsyncGenerator[str | Completion, None]) -> Completion:
    """What a stream ends with."""
    *pieces, last = [item async for item in stream]
    assert isinstance(last, Completion)
    assert "".join(str(piece) for piece in pieces) == last.text
    return last


async def test_what_fails_fails_with_its_own_error(
    stub: StubProvider,
    provider: ChatCompletionsGenerator,
    prompt: Prompt,
    subtests: pytest.Subtests,
) -> None:
    for behaviour, error in FAILING:
        with subtests.test(behaviour=behaviour):
            await stub.behave(behaviour)

            with pytest.raises(errors.RagError) as whole:
                await provider.generate(prompt, max_tokens=50)
            with pytest.raises(errors.RagError) as streamed:
                await ended(provider.stream(prompt, max_tokens=50))

            assert (type(whole.value), type(streamed.value)) == (error, error)


async def test_what_answers_answers_the_same_in_pieces(
    stub: StubProvider,
    provider: ChatCompletionsGenerator,
    prompt: Prompt,
    subtests: pytest.Subtests,
) -> None:
    for behaviour, text in ANSWERING:
        with subtests.test(behaviour=behaviour):
            await stub.behave(behaviour)
            whole = await provider.generate(prompt, max_tokens=50)

            assert whole.text == text
            assert await ended(provider.stream(prompt, max_tokens=50)) == whole


async def test_a_confidently_wrong_answer_is_well_formed_and_cited(
    stub: StubProvider, provider: ChatCompletionsGenerator, prompt: Prompt
) -> None:
    for behaviour in (ConfidentlyWrong(), ConfidentlyWrong("unrelated")):
        await stub.behave(behaviour)
        whole = await provider.generate(prompt, max_tokens=50)
        streamed = await ended(provider.stream(prompt, max_tokens=50))

        for completion in (whole, streamed):
            assert completion.text.endswith("[1]")
            assert completion.text != QUOTE


async def test_a_call_without_an_end_is_ended_by_its_timeout_and_leaves_the_provider(
    stub: StubProvider, tokenizer: LlamaTokenizer, prompt: Prompt
) -> None:
    """A drip that never stops for long is no different: the call as a whole has its time."""
    async with aclosing(generator_of(stub, tokenizer, timeout_s=0.1)) as hasty:
        for behaviour in (*ENDLESS, SlowDrip(0.02)):
            await stub.behave(behaviour)
            with pytest.raises(errors.ProviderTimeout):
                await hasty.generate(prompt, max_tokens=50)
            with pytest.raises(errors.ProviderTimeout):
                await ended(hasty.stream(prompt, max_tokens=50))
    await all_left(stub)


async def test_as_many_calls_are_under_way_as_are_made(
    stub: StubProvider, provider: ChatCompletionsGenerator, prompt: Prompt
) -> None:
    """How many may be is the guard's to say: none waits for a connection, where nobody sees it."""
    await stub.behave(Hang())
    calls = [asyncio.create_task(provider.generate(prompt, max_tokens=5)) for _ in range(150)]
    await eventually(lambda: in_flight(stub, len(calls)))
    for call in calls:
        call.cancel()
    await asyncio.wait(calls)
    await all_left(stub)


async def in_flight(stub: StubProvider, count: int) -> bool:
    return (await stub.calls()).in_flight == count


async def test_every_behaviour_is_played_here() -> None:
    played = [*(each for each, _ in FAILING), *(each for each, _ in ANSWERING), *ENDLESS]
    assert {type(each) for each in played} | {ConfidentlyWrong} == set(BEHAVIOURS.values())


async def test_how_long_to_wait_is_what_the_provider_says(
    stub: StubProvider, provider: ChatCompletionsGenerator, prompt: Prompt
) -> None:
    for behaviour, wait_s in [
        (RateLimit(7), 7),
        (RateLimit(None), None),
        (Loading(12.5), 12.5),
        (ServerError(503, 3), 3),
    ]:
        await stub.behave(behaviour)
        with pytest.raises(errors.ProviderUnavailable) as whole:
            await provider.generate(prompt, max_tokens=50)
        with pytest.raises(errors.ProviderUnavailable) as streamed:
            await ended(provider.stream(prompt, max_tokens=50))
        assert (whole.value.retry_after_s, streamed.value.retry_after_s) == (wait_s, wait_s)


async def test_a_cut_stream_gives_its_pieces_first(
    stub: StubProvider, provider: ChatCompletionsGenerator, prompt: Prompt
) -> None:
    await stub.behave(CutMidStream(2))
    stream = provider.stream(prompt, max_tokens=50)

    assert [await anext(stream), await anext(stream)] == ["Noah", " built"]
    with pytest.raises(errors.ProviderUnavailable):
        await anext(stream)


async def test_a_stream_closed_early_ends_at_the_provider_and_is_billed_for_what_was_written(
    stub: StubProvider, provider: ChatCompletionsGenerator, prompt: Prompt
) -> None:
    await stub.behave(Say("one " * 10_000), SlowDrip(0.001))

    async with aclosing(provider.stream(prompt, max_tokens=10_000)) as stream:
        await anext(stream)

    calls = await all_left(stub)
    assert (calls, (await stub.calls()).answered) == (1, 0)
    assert 1 <= (await stub.calls()).output_tokens < 10_000


async def all_left(stub: StubProvider) -> int:
    """How many calls were left early, once none is in flight."""
    async with asyncio.timeout(30):
        while (calls := await stub.calls()).in_flight:
            pass
    return calls.left_early
