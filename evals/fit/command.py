"""The commands that fit what is learnt from golden data, and say how well it does there."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from importlib.util import find_spec

import msgspec

from evals.budgets.grid import BudgetSetting, check
from evals.budgets.stages import Parts
from evals.datasets.corpus import held_open, ingest_golden
from evals.datasets.golden import RETRIEVAL, SMALL, GoldenQuestion, GoldenSet, load
from evals.datasets.reading_claims import reading_claims
from evals.fit.answer_cases import Case, cut_notes, gathered_cases
from evals.fit.answerability import (
    MODEL_FILE,
    AnswerabilityFit,
    fit_answerability,
    held_out_table,
)
from evals.fit.answerability import as_text as answerability_table
from evals.fit.extractive import Trials, asked, gathered, tried
from evals.fit.extractive import as_text as as_table
from evals.fit.facts import StatedFacts, stated_facts
from evals.fit.facts import as_text as facts_table
from evals.fit.fusion import FusionFit, fit_fusion
from evals.fit.fusion import as_text as fusion_table
from evals.fit.reader import lesson
from evals.fit.support import SupportFit, as_text, claims_digest, fit_support
from evals.measures.kept_vectors import KeptEmbedder, kept_vectors
from evals.measures.measuring_embedder import MODEL, measuring_embedder
from evals.measures.support import WEIGHTS, LightChecker
from evals.measures.support_reader import STORED, opened_reader, store
from evals.measures.vectors import Vectors
from evals.project import GOLDEN, project_settings
from rag_core.adapters.documents import read_notes
from rag_core.adapters.embedders import load_embedder
from rag_core.adapters.generators import ExtractiveGenerator
from rag_core.adapters.llama_tokenizer import LlamaTokenizer
from rag_core.bootstrap import assemble, prompt_rules
from rag_core.cli import progress_bar
from rag_core.domain import Embedder, SearchMode
from rag_core.errors import ConfigurationError, InvalidInput
from rag_core.settings import Settings


def run_support_fit() -> None:
    """Fit the light check of support, write its weights and print how it does out of fold.

    Then print how many facts of dev questions it finds stated, by right answers and by wrong ones.

    Raises:
        InvalidInput: the golden data hold no dev claims.
    """
    fit, facts = asyncio.run(_fit(golden_claims()))
    WEIGHTS.write_bytes(msgspec.json.format(msgspec.json.encode(fit.weights), indent=2) + b"\n")
    print(as_text(fit), facts_table(facts), sep="\n")
    print(f"wrote {WEIGHTS.name}")


def run_reader_fit() -> None:
    """Teach the light check's reader by the claims of `reading/`, and store what it learnt.

    Raises:
        InvalidInput: the claims cannot be read.
        ConfigurationError: torch or the measuring model is not installed.
    """
    if find_spec("torch") is None:
        raise ConfigurationError("torch", "is not installed", "Run make install in a checkout")
    from evals.fit.student import teach

    golden, claims = load(GOLDEN), reading_claims(GOLDEN)
    embedder = measuring_embedder(None, project_settings())
    taught_by = asyncio.run(
        lesson(claims, golden, Vectors(embedder), pieces=embedder.count_word_pieces)
    )
    with progress_bar(taught_by.steps, "teach the reader", "step") as bar:
        taught = teach(MODEL, taught_by, bar.update)
    note = {
        "claims": str(len(claims)),
        "claims_sha256": claims_digest(claims, golden),
        "written_by": "python -m evals fit reader",
    }
    store(taught.layers, taught.head, note)
    rounds = " ".join(f"{loss:.3f}" for loss in taught.losses)
    print(f"reader: {len(claims)} claims, mean loss of each round {rounds}")
    print(f"wrote {STORED.name}; now: python -m evals fit support")


def golden_claims() -> GoldenSet:
    """The golden set that holds the claims.

    Raises:
        InvalidInput: it holds no dev claims.
    """
    golden = load(GOLDEN)
    if not any(claim.split == "dev" for claim in golden.claims):
        raise InvalidInput(str(GOLDEN), "holds no claims of split dev", "Restore claims.jsonl")
    return golden


async def _fit(golden: GoldenSet) -> tuple[SupportFit, list[StatedFacts]]:
    settings = project_settings()
    vectors = Vectors(measuring_embedder(None, settings))
    with opened_reader(settings) as reader:
        fit = await fit_support(golden, vectors, reader)
        checker = LightChecker(vectors, reader, fit.weights)
        return fit, await stated_facts(golden, checker, vectors)


def run_fusion_fit() -> None:
    """Try what a point of BM25 is to count beside the cosine, and print what each weight finds.

    Raises:
        InvalidInput: the golden data cannot be read.
        Unavailable: the database cannot be reached.
    """
    settings = project_settings()
    print(fusion_table(asyncio.run(_fusion(settings)), settings.lexical_weight))


async def _fusion(settings: Settings) -> FusionFit:
    sets = retrieval_sets()
    async with held_open(settings) as ready, assemble(ready) as application:
        for golden in sets:
            await ingest_golden(application, golden)
        return await fit_fusion(application, ready, sets)


def retrieval_sets() -> list[GoldenSet]:
    """All golden questions that retrieval alone is fitted to, by the notes that they are asked of.

    Raises:
        InvalidInput: they cannot be read.
    """
    return [load(GOLDEN), load(GOLDEN, RETRIEVAL), load(GOLDEN / SMALL)]


def run_answerability_fit() -> None:
    """Fit the decision whether notes can answer, write its coefficients and print what it costs.

    Raises:
        InvalidInput: the golden data have no dev question that the notes answer, or none that they
            do not, or the deployed search is not exact.
    """
    settings = project_settings().model_copy(update={"search_mode": SearchMode.HYBRID})
    setting = BudgetSetting.of(settings)
    check(setting, settings)
    golden = load(GOLDEN)
    fit, held_out = asyncio.run(_answerability(golden, settings, setting))
    stored = msgspec.json.format(msgspec.json.encode(fit.model), indent=2) + b"\n"
    MODEL_FILE.write_bytes(stored)
    print(answerability_table(fit), held_out_table(fit, held_out), sep="\n")
    print(f"wrote {MODEL_FILE.name}")


async def _answerability(
    golden: GoldenSet, settings: Settings, setting: BudgetSetting
) -> tuple[AnswerabilityFit, list[Case]]:
    """The fit to dev, and the cases of the test questions, which nothing is fitted to."""
    questions = [q for q in golden.questions if q.scenario != "attack"]
    if len({q.answerable for q in questions if q.split == "dev"}) < 2:
        raise InvalidInput(
            str(GOLDEN), "lacks dev questions to answer, or to decline", "Restore questions.jsonl"
        )
    with kept_vectors(_embedder(settings), settings.home / "vectors") as embedder:
        parts = _parts(embedder, settings, golden, questions)
        with progress_bar(sum(map(len, parts.notes.values())), "cut notes", "note") as bar:
            stages = await cut_notes(parts, setting, bar.update)
        dev = [q for q in questions if q.split == "dev"]
        passages = golden.passages.values()
        cases = await gathered_cases(dev, passages, stages, parts, setting)
        held_out = [q for q in questions if q.split == "test"]
        others = await gathered_cases(held_out, passages, stages, parts, setting)
        return fit_answerability(cases, dev), others


def run_extractive_fit() -> None:
    """Compare how the extractive generator may choose its quotes, and print which is best.

    Raises:
        InvalidInput: the golden data have no dev question that the notes answer, or none that they
            do not, or the deployed search is not exact.
    """
    settings = project_settings()
    setting = BudgetSetting.of(settings)
    check(setting, settings)
    trials = asyncio.run(_trials(load(GOLDEN), settings, setting))
    print(f"contexts of {setting}", as_table(trials), sep="\n")


async def _trials(golden: GoldenSet, settings: Settings, setting: BudgetSetting) -> Trials:
    questions = asked(golden)
    if len({question.answerable for question in questions}) < 2:
        raise InvalidInput(
            str(GOLDEN), "lacks dev questions to answer, or to decline", "Restore questions.jsonl"
        )
    with kept_vectors(_embedder(settings), settings.home / "vectors") as embedder:
        parts = _parts(embedder, settings, golden, questions)
        with progress_bar(sum(map(len, parts.notes.values())), "cut notes", "note") as bar:
            evidence = await gathered(questions, parts, setting, bar.update)
    return tried(questions, evidence)


def _parts(
    embedder: KeptEmbedder,
    settings: Settings,
    golden: GoldenSet,
    questions: Sequence[GoldenQuestion],
) -> Parts:
    tokenizer = LlamaTokenizer(settings.tokenizer)
    users = sorted({question.user for question in questions})
    return Parts(
        embedder=embedder,
        tokenizer=tokenizer,
        generator=ExtractiveGenerator(embedder, tokenizer),
        question_tokens=settings.question_tokens,
        mode=settings.search_mode,
        lexical_weight=settings.lexical_weight,
        rules=prompt_rules(settings),
        notes={user: read_notes(golden.notes[user].path) for user in users},
    )


def _embedder(settings: Settings) -> Embedder:
    return load_embedder(
        settings.embedder_model, backend="onnx", cache_dir=settings.home / "models"
    )
