"""Candidates as people make them: each really run, and what the gate must say of it."""

from __future__ import annotations

import json
import shutil
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from evals.bench.planted_faults import LOSING, NEGATING, SLOWER
from evals.bench.planted_runs import NOTEBOOKS, Change, Workshop, found
from evals.datasets.golden_hashes import write_hashes
from evals.gate.finding import Status
from evals.project import GOLDEN
from loadtests.stub_provider import Obey, running_stub
from rag_core.domain import GUIDANCE

WORSE_PROMPT = GUIDANCE.rstrip() + "\n- Answer in at most one sentence.\n"
NOBODY = "http://127.0.0.1:9/v1"
"""The port of the service "discard": nobody listens."""

QUALITY, COST, VALIDITY = "01_quality", "04_cost", "07_validity"
ANSWERS = (QUALITY, COST, VALIDITY)
"""What a generator or a prompt reaches: the replayed traffic is answered by a script."""
ALL_BUT_COLLECTIONS = NOTEBOOKS.keys() - {"02_retrieval"}
"""What chunks and budgets reach: a collection's section is one chunk, and no answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """Two folders of runs, and the gate's options."""

    baseline: Path
    candidate: Path
    options: tuple[str, ...] = ("--without", "speed")


@dataclass(frozen=True, slots=True)
class Case:
    """A candidate, what the gate must say of it, and figures of which one must be to blame."""

    make: Callable[[Workshop, Path], Awaitable[Made]]
    verdict: Status
    blamed: Sequence[str] = ()


async def identical(shop: Workshop, runs: Path) -> Made:
    """The same code, measured and timed anew."""
    base = await shop.base()
    await shop.candidate(runs, base, NOTEBOOKS, Change())
    await shop.probe(runs)
    return Made(baseline=base, candidate=runs, options=())


async def broken_chunker(shop: Workshop, runs: Path) -> Made:
    """Every other piece of a note is lost."""
    base, change = await shop.base(), Change(fault=LOSING, home=shop.new_home("pieces"))
    await shop.candidate(runs, base, ALL_BUT_COLLECTIONS, change)
    return Made(baseline=base, candidate=runs)


async def negating(shop: Workshop, runs: Path) -> Made:
    """A generator that says the opposite of what the notes say."""
    base = await shop.base()
    await shop.candidate(runs, base, ANSWERS, Change(fault=NEGATING))
    return Made(baseline=base, candidate=runs)


async def slower(shop: Workshop, runs: Path) -> Made:
    """Every search is made twice; what is found stays the same."""
    base = await shop.base()
    await shop.candidate(runs, base, (), Change())
    await shop.probe(runs, SLOWER)
    return Made(baseline=base, candidate=runs, options=())


async def doubled_context(shop: Workshop, runs: Path) -> Made:
    """Twice the budget, and twice the hits to fill it with."""
    base = await shop.base()
    change = Change(settings={"RAG_CONTEXT_TOKENS": "2400", "RAG_TOP_K": "10"})
    await shop.candidate(runs, base, ALL_BUT_COLLECTIONS, change)
    return Made(baseline=base, candidate=runs)


async def doubled_budget(shop: Workshop, runs: Path) -> Made:
    """Twice the budget alone: five hits of 200 tokens never filled the old one."""
    base, change = await shop.base(), Change(settings={"RAG_CONTEXT_TOKENS": "2400"})
    await shop.candidate(runs, base, (QUALITY, COST), change)
    return Made(baseline=base, candidate=runs)


async def missing_result(shop: Workshop, runs: Path) -> Made:
    """The run of the collections is not there."""
    base = await shop.base()
    await shop.candidate(runs, base, (), Change())
    shutil.rmtree(found(runs, "02_retrieval").parent)
    return Made(baseline=base, candidate=runs)


async def empty_run(shop: Workshop, runs: Path) -> Made:
    """A run that was killed when it had begun."""
    base = await shop.base()
    await shop.kill_one(runs)
    return Made(baseline=base, candidate=runs)


async def unanswered(shop: Workshop, runs: Path) -> Made:
    """All notebooks are there, but no provider answered a question."""
    base, change = await shop.base(), Change(settings=_provider(NOBODY))
    await shop.candidate(runs, base, (QUALITY,), change)
    return Made(baseline=base, candidate=runs)


async def another_dataset(shop: Workshop, runs: Path) -> Made:
    """The example that a golden folder of one's own begins with."""
    base = await shop.base()
    change = Change(golden=shop.root / "evals" / "datasets" / "example")
    await shop.measure(runs, ("02_retrieval", QUALITY), change)
    return Made(baseline=base, candidate=runs)


async def edited_question(shop: Workshop, runs: Path) -> Made:
    """One question asks for what its passages do not say."""
    base, golden = await shop.base(), shop.folder / "edited"
    shutil.rmtree(golden, ignore_errors=True)
    shutil.copytree(shop.root / GOLDEN.name, golden)
    path = golden / "questions.jsonl"
    first, *others = path.read_text(encoding="utf-8").splitlines()
    edited = json.loads(first) | {"question": "Which boats did my brother build last winter?"}
    path.write_text("\n".join([json.dumps(edited), *others]) + "\n", encoding="utf-8")
    write_hashes(golden)
    await shop.measure(runs, NOTEBOOKS, Change(golden=golden))
    return Made(baseline=base, candidate=runs)


async def prompt_unread(shop: Workshop, runs: Path) -> Made:
    """A worse prompt for the extractive generator, which reads none: no answer can change."""
    base, change = await shop.base(), Change(settings=_worse_prompt(shop))
    await shop.candidate(runs, base, (QUALITY, COST), change)
    return Made(baseline=base, candidate=runs)


async def prompt_obeyed(shop: Workshop, runs: Path) -> Made:
    """A worse prompt for a stub that does what it says of the number of sentences."""
    base, obeyed = await shop.base(), shop.new_runs("base-obeying")
    async with running_stub(Obey(least=0.1)) as stub:
        settings = _provider(stub.url)
        await shop.candidate(obeyed, base, ANSWERS, Change(settings=settings))
        worse = Change(settings=settings | _worse_prompt(shop))
        await shop.candidate(runs, obeyed, ANSWERS, worse)
    return Made(baseline=obeyed, candidate=runs)


def _worse_prompt(shop: Workshop) -> dict[str, str]:
    path = shop.folder / "worse-prompt.txt"
    path.write_text(WORSE_PROMPT, encoding="utf-8")
    return {"RAG_PROMPT_FILE": str(path)}


def _provider(url: str) -> dict[str, str]:
    return {
        "RAG_GENERATOR": "providers",
        "RAG_PROVIDERS": "stub",
        "RAG_PROVIDER_STUB_BASE_URL": url,
        "RAG_PROVIDER_STUB_MODEL": "stub",
        "RAG_PROVIDER_STUB_PRICE_INPUT_USD": "0",
        "RAG_PROVIDER_STUB_PRICE_OUTPUT_USD": "0",
    }


OF_PIECES = ("R@5 (golden)", "citation_recall (golden)", "fact_recall (golden)")
"""What lost pieces of notes lower. The 216 questions with gold show a drop of five or six points of
one of them, and not of all: with half of the pieces lost, R@5 alone was INCONCLUSIVE."""

CASES: Mapping[str, Case] = {
    "identical-runs": Case(identical, Status.PASS),
    "broken-chunker": Case(broken_chunker, Status.REGRESSION, OF_PIECES),
    "negating-generator": Case(negating, Status.REGRESSION, ["groundedness (golden)"]),
    "slower-query": Case(slower, Status.REGRESSION, ["retrieval"]),
    "doubled-context": Case(doubled_context, Status.REGRESSION, ["dollars per 1,000 requests"]),
    "doubled-budget-alone": Case(doubled_budget, Status.PASS),
    "worse-prompt": Case(prompt_obeyed, Status.REGRESSION, ["fact_recall (golden)"]),
    "worse-prompt-unread": Case(prompt_unread, Status.PASS),
    "missing-result": Case(missing_result, Status.INVALID, ["02_retrieval, candidate"]),
    "empty-run": Case(empty_run, Status.INVALID, ["runs"]),
    "unanswered-run": Case(unanswered, Status.INVALID, ["fact_recall (golden)"]),
    "another-dataset": Case(another_dataset, Status.INVALID, ["data of golden"]),
    "edited-question": Case(edited_question, Status.PASS),
}
