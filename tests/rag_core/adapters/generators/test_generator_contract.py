"""What every generator promises: the script, the quotes, and a real LLM behind a real client."""

from __future__ import annotations

import itertools
from collections.abc import AsyncGenerator
from contextlib import aclosing

import pytest

from rag_core.adapters.embedders import HashingEmbedder
from rag_core.adapters.generators import ExtractiveGenerator, ScriptedGenerator
from rag_core.adapters.generators.chat_completions import ChatCompletionsGenerator
from rag_core.adapters.llama_tokenizer import LlamaTokenizer
from rag_core.domain import Generator, Prices, Prompt


@pytest.fixture(params=["scripted", "extractive", "chat completions"])
async def generator(
    request: pytest.FixtureRequest, tokenizer: LlamaTokenizer
) -> AsyncGenerator[Generator, None]:
    if request.param == "scripted":
        yield ScriptedGenerator(itertools.repeat("Noah built it of gopher wood, as told. [1]"))
    elif request.param == "extractive":
        yield ExtractiveGenerator(HashingEmbedder(), tokenizer)
    else:
        llm_url: str = request.getfixturevalue("llm_url")
        real = ChatCompletionsGenerator(
            "local", "smollm2", tokenizer=tokenizer, base_url=llm_url, timeout_s=300.0
        )
        yield real
        await real.aclose()


async def test_the_same_prompt_has_the_same_answer_whole_and_in_pieces(
    generator: Generator, prompt: Prompt
) -> None:
    completion = await generator.generate(prompt, max_tokens=8)
    *pieces, last = [item async for item in generator.stream(prompt, max_tokens=8)]

    assert completion.text.strip()
    assert completion.usage.input_tokens > 50
    assert 0 < completion.usage.output_tokens <= 8
    assert completion.model == generator.model
    assert completion.finish_reason in {"stop", "length"}
    assert last == completion
    assert pieces
    assert "".join(str(piece) for piece in pieces) == completion.text


async def test_an_answer_over_the_budget_is_cut_and_says_so(
    generator: Generator, prompt: Prompt
) -> None:
    completion = await generator.generate(prompt, max_tokens=3)

    assert completion.finish_reason == "length"
    assert completion.usage.output_tokens <= 3


async def test_a_stream_closed_early_leaves_the_generator_usable(
    generator: Generator, prompt: Prompt
) -> None:
    async with aclosing(generator.stream(prompt, max_tokens=8)) as stream:
        first = await anext(stream)

    assert isinstance(first, str)
    assert (await generator.generate(prompt, max_tokens=8)).text


async def test_it_has_a_name_a_model_and_prices(generator: Generator) -> None:
    assert generator.name
    assert generator.model
    assert isinstance(generator.prices, Prices)
