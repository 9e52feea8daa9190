"""The fake generator follows its script, faults included."""

from __future__ import annotations

import pytest

from rag_core.adapters.generators import Interrupted, ScriptedGenerator
from rag_core.clock import ManualClock
from rag_core.domain import Prompt
from rag_core.errors import ProviderRateLimited, ProviderUnavailable


async def test_outcomes_come_in_turn_and_calls_are_counted(prompt: Prompt) -> None:
    generator = ScriptedGenerator(["one", ProviderRateLimited("slow down"), "two"])

    assert (await generator.generate(prompt, max_tokens=9)).text == "one"
    with pytest.raises(ProviderRateLimited):
        await generator.generate(prompt, max_tokens=9)
    assert (await generator.generate(prompt, max_tokens=9)).text == "two"
    assert generator.calls == 3
    assert generator.prompts == [prompt] * 3


async def test_an_interrupted_stream_breaks_after_its_text(prompt: Prompt) -> None:
    generator = ScriptedGenerator([Interrupted("half an", ProviderUnavailable("cut"))])
    stream = generator.stream(prompt, max_tokens=9)

    assert [await anext(stream), await anext(stream)] == ["half", " an"]
    with pytest.raises(ProviderUnavailable):
        await anext(stream)


async def test_an_interrupted_outcome_without_a_stream_is_its_error(prompt: Prompt) -> None:
    generator = ScriptedGenerator([Interrupted("half an", ProviderUnavailable("cut"))])

    with pytest.raises(ProviderUnavailable):
        await generator.generate(prompt, max_tokens=9)


async def test_latency_passes_on_the_injected_clock(prompt: Prompt) -> None:
    clock = ManualClock(start_s=100.0)
    generator = ScriptedGenerator(["one"], clock=clock, latency_s=3.5)

    await generator.generate(prompt, max_tokens=9)

    assert clock.now() == 103.5


async def test_a_call_after_the_last_line_is_a_fault_of_the_test(prompt: Prompt) -> None:
    with pytest.raises(RuntimeError, match="no line for call 1"):
        await ScriptedGenerator([]).generate(prompt, max_tokens=9)


def test_latency_without_a_clock_is_refused() -> None:
    with pytest.raises(ValueError, match="latency_s"):
        ScriptedGenerator(["one"], latency_s=1.0)
