"""Steps that are done once for many settings give what the deployed pipeline gives at each."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncGenerator, AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from evals.budgets.grid import BudgetSetting, Chunking
from evals.budgets.stages import Parts, Stages
from evals.budgets.sweep import Purse, Sweep
from evals.datasets.corpus import ingest_golden
from evals.datasets.golden import GoldenQuestion, GoldenSet, Scenario, load
from evals.measures.kept_vectors import KeptEmbedder, kept_vectors
from evals.measures.vectors import Vectors
from rag_core.adapters.documents import read_notes
from rag_core.adapters.embedders import HashingEmbedder
from rag_core.adapters.generators import ExtractiveGenerator, ScriptedGenerator, ScriptItem
from rag_core.adapters.llama_tokenizer import LlamaTokenizer
from rag_core.bootstrap import Application, assemble
from rag_core.domain import FREE, Completion, Generator, Prices, Prompt
from rag_core.errors import ConfigurationError, ProviderUnavailable
from rag_core.settings import Settings, load_settings
from tests.evals.golden_sample import write_sample
from tests.evals.light_checks import light_checker

TOKENIZER = LlamaTokenizer()


class Overheard:
    """A generator, and the prompts that it was given."""

    def __init__(self, generator: Generator) -> None:
        self._generator = generator
        self.name, self.model, self.prices = generator.name, generator.model, generator.prices
        self.prompts: list[Prompt] = []

    async def generate(self, prompt: Prompt, *, max_tokens: int) -> Completion:
        self.prompts.append(prompt)
        return await self._generator.generate(prompt, max_tokens=max_tokens)

    def stream(self, prompt: Prompt, *, max_tokens: int) -> AsyncGenerator[str | Completion, None]:
        return self._generator.stream(prompt, max_tokens=max_tokens)


def parts(golden: GoldenSet, embedder: KeptEmbedder, generator: Generator | None = None) -> Parts:
    return Parts(
        embedder=embedder,
        tokenizer=TOKENIZER,
        generator=generator or ExtractiveGenerator(embedder, TOKENIZER),
        question_tokens=Settings().question_tokens,
        mode=Settings().search_mode,
        notes={user: read_notes(file.path) for user, file in golden.notes.items()},
    )


async def cut(golden: GoldenSet, made: Parts, *chunkings: Chunking) -> Stages:
    stages = Stages(made, depth=8)
    for chunking in chunkings:
        await stages.cut(chunking, list(golden.notes), lambda notes: None)
    return stages


@asynccontextmanager
async def deployed(at: BudgetSetting, overheard: Overheard) -> AsyncIterator[Application]:
    settings = load_settings().model_copy(update={**asdict(at), "cache": "memory"})
    async with assemble(settings, generator=overheard) as application:
        yield application


async def test_every_step_is_the_deployed_pipelines(sample: Path, tmp_path: Path) -> None:
    golden = load(sample)
    now = BudgetSetting.of(load_settings())
    small = now.with_value("context_tokens", 300).with_value("output_tokens", 40)
    few = now.with_value("top_k", 2).with_value("min_score", 0.2)
    cut_anew = now.with_value("chunking", Chunking(60, 10)).with_value("context_tokens", 150)
    for at in (now, small, few, cut_anew):
        overheard = Overheard(ScriptedGenerator([]))
        async with deployed(at, overheard) as application:
            await ingest_golden(application, golden)
            with kept_vectors(application.embedder, tmp_path) as embedder:
                generator = ExtractiveGenerator(application.embedder, TOKENIZER)
                overheard._generator = generator
                stages = await cut(golden, parts(golden, embedder), at.chunking)
                for question in golden.questions:
                    await compare(application, stages, question, at, overheard)
        assert overheard.prompts, "some of the questions reached the generator"


async def compare(
    application: Application,
    stages: Stages,
    question: GoldenQuestion,
    at: BudgetSetting,
    overheard: Overheard,
) -> None:
    """One question: the same hits in the same order, context, prompt and answer."""
    prompts = len(overheard.prompts)
    answer = await application.pipeline.answer(question.question, question.user)
    reply = await stages.ask(question, at)
    assert reply.answer is not None
    assert (reply.answer.text, reply.answer.citations) == (answer.text, answer.citations)
    assert (reply.answer.provenance, reply.answer.flags) == (answer.provenance, answer.flags)
    if not answer.refused:
        found = (await application.pipeline.retrieve(question.question, question.user)).ranking
        ranking = await stages.ranking(question, at.chunking)
        hits = ranking.value.hits[: at.top_k]
        assert [hit.chunk_id for hit in hits] == [hit.chunk_id for hit in found.hits]
        assert [hit.score for hit in hits] == pytest.approx([h.score for h in found.hits], abs=1e-5)
    if len(overheard.prompts) > prompts:
        ours, theirs = stages.prompt(question, reply.context), overheard.prompts[-1]
        assert ours.messages[1] == theirs.messages[1]
        assert ours.system == theirs.system.replace(theirs.canary, ours.canary)
        assert reply.answer.usage.output_tokens == answer.usage.output_tokens
        # A canary of its own may take another token or two.
        tokens = answer.usage.input_tokens
        assert reply.answer.usage.input_tokens == pytest.approx(tokens, abs=8)
    else:
        assert not reply.context


@pytest.fixture
def golden(tmp_path: Path) -> GoldenSet:
    return load(write_sample(tmp_path / "golden"))


NOW = replace(BudgetSetting.of(Settings()), min_score=-1.0, min_answerability=0.0)
"""Hashed words are far from each other: any score will do."""


async def test_another_budget_embeds_nothing_and_another_run_neither(
    golden: GoldenSet, tmp_path: Path
) -> None:
    embedded = []
    for _ in range(2):
        with kept_vectors(HashingEmbedder(), tmp_path) as embedder:
            stages = await cut(golden, parts(golden, embedder), NOW.chunking)
            embedded.append(embedder.embedded)
            for question in golden.questions:
                await stages.context(question, NOW)
            asked = embedder.embedded
            for tokens in (300, 600):
                for question in golden.questions:
                    await stages.context(question, NOW.with_value("context_tokens", tokens))
            assert embedder.embedded == asked
    assert embedded[0] > 0
    assert embedded[1] == 0
    with kept_vectors(HashingEmbedder(), tmp_path) as embedder:
        await cut(golden, parts(golden, embedder), Chunking(32, 0))
        assert embedder.embedded > 0, "another chunking is other texts"


async def test_a_kept_vector_is_the_embedders_own(tmp_path: Path) -> None:
    texts = ["Grace is free.", "Grace is free.", "He sowed in tears."]
    with kept_vectors(HashingEmbedder(), tmp_path) as embedder:
        first = await embedder.embed(texts)
    with kept_vectors(HashingEmbedder(), tmp_path) as embedder:
        again = await embedder.embed(list(reversed(texts)))
        assert (await embedder.embed([])).shape == (0, 384)
        assert embedder.embedded == 0
    assert (first == await HashingEmbedder().embed(texts)).all()
    assert (again[::-1] == first).all()


def test_a_file_that_holds_no_vectors_is_named(tmp_path: Path) -> None:
    (tmp_path / f"{HashingEmbedder().digest[:32]}.sqlite").write_text("something else" * 100)
    with (
        pytest.raises(ConfigurationError, match="cannot be used"),
        kept_vectors(HashingEmbedder(), tmp_path),
    ):
        pass


def sweep(golden: GoldenSet, made: Parts, stages: Stages, max_usd: float) -> Sweep:
    vectors = Vectors(made.embedder)
    return Sweep(
        stages=stages,
        golden=golden,
        vectors=vectors,
        checker=light_checker(vectors),
        tokenizer=TOKENIZER,
        prices=Prices(),
        purse=Purse(made.generator.prices, max_usd),
    )


async def test_what_costs_money_is_generated_as_far_as_it_lasts(
    golden: GoldenSet, tmp_path: Path
) -> None:
    """The current setting first; what is not generated still has its context measured."""
    asked = [q for q in golden.questions if q.scenario is not Scenario.ATTACK]
    tried = [NOW, *(NOW.with_value("context_tokens", tokens) for tokens in (300, 600))]
    spent = {}
    with kept_vectors(HashingEmbedder(), tmp_path) as embedder:
        for max_usd in (0.0, 0.005, 10.0):
            scripted = ScriptedGenerator(itertools.repeat("Grace is free. [1]"))
            made = parts(golden, embedder, scripted)
            swept = sweep(golden, made, await cut(golden, made, NOW.chunking), max_usd)
            found = await swept.run(asked, tried)
            spent[max_usd] = (found.generated, swept.purse.spent_usd, scripted.calls)
            assert swept.purse.spent_usd <= max_usd
            assert (found.means("facts in context").n > 0).all()
            assert (found.means("tokens in").n > 0).all()
    assert spent[0.0] == ((False, False, False), 0.0, 0)
    assert spent[0.005][0][0]
    assert not all(spent[0.005][0])
    assert all(spent[10.0][0])
    assert spent[10.0][2] > spent[0.005][2] > 0


async def test_a_provider_that_fails_leaves_a_gap_and_no_zero(
    golden: GoldenSet, tmp_path: Path
) -> None:
    def lines() -> Iterator[ScriptItem]:
        yield "Grace is free. [1]"
        while True:
            yield ProviderUnavailable("it is down")

    with kept_vectors(HashingEmbedder(), tmp_path) as embedder:
        made = parts(golden, embedder, ScriptedGenerator(lines(), prices=FREE))
        swept = sweep(golden, made, await cut(golden, made, NOW.chunking), 0.0)
        found = await swept.run(golden.questions, [NOW])
    assert found.failed > 0
    assert found.means("usd").n[0] == len(golden.questions) - found.failed


async def test_two_runs_at_once_share_a_file(tmp_path: Path) -> None:
    async def one(words: str) -> None:
        with kept_vectors(HashingEmbedder(), tmp_path) as embedder:
            for number in range(20):
                await embedder.embed([f"{words} {number}", f"both {number}"])
                await asyncio.sleep(0)

    await asyncio.gather(one("this"), one("that"))
    with kept_vectors(HashingEmbedder(), tmp_path) as embedder:
        await embedder.embed([f"{words} 7" for words in ("this", "that", "both")])
        assert embedder.embedded == 0
