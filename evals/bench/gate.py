"""How often the gate errs: unchanged candidates that fail, planted regressions that pass.

Runs are drawn, not measured: golden questions and collections in their real numbers and groups, of
which a share is scored anew in each run; times are lognormal, with drift and disturbances.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import numpy as np

from evals.bench.figures import Figure
from evals.datasets.beir import read_collection
from evals.datasets.golden import GoldenQuestion, load
from evals.gate.finding import Judgement, Status
from evals.gate.policy import Policy, QualityRule, read_policy
from evals.gate.quality import quality_findings
from evals.gate.recording import MeasureCard, Outcome, Recording, Suite
from evals.gate.speed import Probe, Timed, speed_findings
from evals.measures.abstention import MUST_NOT_REFUSE, SHOULD_ABSTAIN, SHOULD_ANSWER
from evals.project import GOLDEN
from evals.results.numbers import share
from evals.stats.intervals import exact_interval
from rag_core.cli import progress_bar

# By the requirements: trials of each kind, and how many of them must be right.
UNCHANGED, DROPS, BREAKS, TIMINGS = 200, 100, 20, 200
FALSE, CAUGHT, SLOW_CAUGHT, NOISE_PASSED = 0.05, 0.75, 0.9, 0.95
DROP, SLOWER = 0.05, 0.15

# Supposed: shares of the scores that two runs of one LLM do not share, and mean scores as measured.
QUIET, NOISY = 0.02, 0.2
MEANS = {"R@5": 0.6, "false_refusal": 0.02, "isolation_leaks": 0.0, "attack_refusal": 1.0}
REPEATS = 10

Rng = np.random.Generator
Scores = dict[str, dict[str, dict[str, list[float | None]]]]
"""Suite -> measure -> question -> score of each run."""


async def false_alarms(folder: Path) -> list[Figure]:
    """Unchanged candidates of a quiet and of a noisy generator."""
    del folder  # nothing is written
    world = await asyncio.to_thread(World)
    figures = []
    for name, noise, repeats in (
        ("quiet", QUIET, 1),
        ("noisy", NOISY, 1),
        ("noisy, 10 runs each", NOISY, REPEATS),
    ):
        found = world.trials(UNCHANGED, partial(world.unchanged, noise=noise, repeats=repeats))
        failed = found[Status.REGRESSION]
        said = f"{failed} of {UNCHANGED} fail{_bound(failed, UNCHANGED)}, {_counted(found)}"
        met = failed <= FALSE * UNCHANGED
        figures.append(Figure(f"unchanged, {name}", said, f"at most {share(FALSE)} fail", met))
    return figures


async def planted_drops(folder: Path) -> list[Figure]:
    """Recall@5 five points lower, and one question that always passed and never does again."""
    del folder
    world = await asyncio.to_thread(World)
    everywhere = world.trials(DROPS, partial(world.dropped, suites=tuple(world.suites)))
    golden = world.trials(DROPS, partial(world.dropped, suites=("golden",)))
    broken = world.trials(BREAKS, world.broken)
    return [
        _caught("recall@5 lower by 5 points", everywhere, DROPS, CAUGHT),
        _caught("likewise, in the golden questions alone", golden, DROPS, None),
        _caught("one question from 10/10 to 0/10, noisy", broken, BREAKS, 1.0),
    ]


async def planted_slowness(folder: Path) -> list[Figure]:
    """Retrieval slower by 15 %, and not at all; 30 pairs of blocks of 20 calls each."""
    del folder
    policy = read_policy()
    slow = _timings(policy, 1 + SLOWER)
    same = _timings(policy, 1.0)
    return [
        _caught("retrieval slower by 15 %", slow, TIMINGS, SLOW_CAUGHT),
        Figure(
            "noise alone", f"{same[Status.PASS]} of {TIMINGS} pass, {_counted(same)}",
            f"at least {share(NOISE_PASSED)}", same[Status.PASS] >= NOISE_PASSED * TIMINGS,
        ),
    ]  # fmt: skip


class World:
    """The questions that gate, and what runs of them can come to."""

    def __init__(self) -> None:
        self.policy = read_policy()
        golden = {question.id: question for question in load(GOLDEN).questions}
        self.groups = {id_: question.group for id_, question in golden.items() if question.group}
        self.suites: dict[str, dict[str, list[str]]] = {}
        for rule in self.policy.quality:
            asked = _asked(rule, golden)
            self.suites.setdefault(rule.suite, {})[rule.measure] = asked

    def trials(self, count: int, judged: Callable[[Rng], Judgement]) -> Counter[Status]:
        """How many of so many judgements were what; each trial has a seed of its own."""
        found: Counter[Status] = Counter()
        with progress_bar(count, "judge drawn runs", "trial") as bar:
            for seed in range(count):
                found[judged(np.random.default_rng(seed)).status] += 1
                bar.update()
        return found

    def unchanged(self, rng: Rng, noise: float, repeats: int) -> Judgement:
        """Two draws of the same, of which the share `noise` is scored anew."""
        truth = self._truth(rng)
        before, after = (self._runs(rng, truth, noise, repeats) for _ in range(2))
        return self._judged(before, after)

    def dropped(self, rng: Rng, suites: tuple[str, ...]) -> Judgement:
        """Two draws, the second of a search that has lost 5 points of recall."""
        truth = self._truth(rng)
        before = self._runs(rng, truth, QUIET, 1)
        for suite in suites:
            rows = truth[suite].get("R@5", {})
            right = sorted(question for question, value in rows.items() if value == 1)
            for question in (
                rng.choice(right, round(DROP * len(rows)), replace=False) if rows else ()
            ):
                rows[str(question)] = 0.0
        return self._judged(before, self._runs(rng, truth, QUIET, 1))

    def broken(self, rng: Rng) -> Judgement:
        """Ten runs each of a noisy generator; one question passes in the first ten alone."""
        truth = self._truth(rng)
        before, after = (self._runs(rng, truth, NOISY, REPEATS) for _ in range(2))
        question = str(rng.choice(sorted(truth["golden"]["fact_recall"])))
        before["golden"]["fact_recall"][question] = [1.0] * REPEATS
        after["golden"]["fact_recall"][question] = [0.0] * REPEATS
        return self._judged(before, after)

    def _truth(self, rng: Rng) -> dict[str, dict[str, dict[str, float]]]:
        return {
            suite: {
                measure: dict(zip(asked, _drawn(rng, measure, len(asked)).tolist(), strict=True))
                for measure, asked in measures.items()
            }
            for suite, measures in self.suites.items()
        }

    def _runs(
        self,
        rng: Rng,
        truth: Mapping[str, Mapping[str, Mapping[str, float]]],
        noise: float,
        repeats: int,
    ) -> Scores:
        """Runs in which a share of the answers is scored anew; search, and what may never become
        worse, come out alike."""
        steady = {rule.measure for rule in self.policy.quality if rule.never_worse}
        return {
            suite: {
                measure: _repeated(
                    rng, measure, rows, 0.0 if measure in steady | {"nDCG@10"} else noise, repeats
                )
                for measure, rows in measures.items()
            }
            for suite, measures in truth.items()
        }

    def _judged(self, before: Scores, after: Scores) -> Judgement:
        findings = quality_findings(self._recording(before), self._recording(after), self.policy)
        return Judgement(baseline="before", candidate="after", findings=findings)

    def _recording(self, scores: Scores) -> Recording:
        suites = {
            name: Suite(
                hashes={question: "" for rows in measures.values() for question in rows},
                scores=measures,
                groups=self.groups,
            )
            for name, measures in scores.items()
        }
        card = MeasureCard(noticed=1.0, rejected=0.0)
        cards = {rule.measure: card for rule in self.policy.quality}
        return Recording(
            name="", commit="", golden="", judge="", machine="",
            notebooks={"": Outcome()}, suites=suites, cards=cards,
        )  # fmt: skip


def _asked(rule: QualityRule, golden: Mapping[str, GoldenQuestion]) -> list[str]:
    """The questions that a measure is asked of."""
    if rule.suite != "golden":
        return list(read_collection(GOLDEN / "beir" / rule.suite.partition(",")[0]).queries)
    scenarios = {
        "abstention_recall": SHOULD_ABSTAIN, "false_refusal": MUST_NOT_REFUSE,
        "fact_recall": SHOULD_ANSWER,
    }  # fmt: skip
    wanted = scenarios.get(rule.measure)
    needs_gold = rule.measure in ("R@5", "citation_recall")
    return [
        question.id
        for question in golden.values()
        if wanted is None or question.scenario in wanted
        if question.answerable or not needs_gold
    ]


def _drawn(rng: Rng, measure: str, n: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    return (rng.random(n) < MEANS.get(measure, 0.6)).astype(np.float64)


def _repeated(
    rng: Rng, measure: str, rows: Mapping[str, float], noise: float, repeats: int
) -> dict[str, list[float | None]]:
    values = np.tile(np.fromiter(rows.values(), dtype=np.float64), (repeats, 1))
    anew = rng.random(values.shape) < noise
    values[anew] = _drawn(rng, measure, int(anew.sum()))
    return dict(zip(rows, values.T.tolist(), strict=True))


def _timings(policy: Policy, factor: float) -> Counter[Status]:
    rule = next(rule for rule in policy.speed if rule.source == "retrieval")
    alone = Recording(
        name="", commit="", golden="", judge="", machine="", notebooks={"": Outcome()}
    )
    found: Counter[Status] = Counter()
    for seed in range(TIMINGS):
        rng = np.random.default_rng(seed)
        timed = Timed(base=_blocks(rng, 1.0), candidate=_blocks(rng, factor))
        probe = Probe(base="", candidate="", machine="", sources={rule.source: timed})
        found[speed_findings(probe, alone, policy)[0].status] += 1
    return found


def _blocks(rng: Rng, factor: float) -> list[list[float]]:
    """Calls of 5 ms: each 25 % apart, blocks 4 %, one call in twenty three times as long."""
    calls = rng.lognormal(0, 0.25, (30, 20)) * rng.lognormal(0, 0.04, (30, 1))
    held_up = np.where(rng.random(calls.shape) < 0.05, 3.0, 1.0)
    blocks: list[list[float]] = (5 * factor * calls * held_up).tolist()
    return blocks


def _caught(name: str, found: Counter[Status], trials: int, wanted: float | None) -> Figure:
    caught = found[Status.REGRESSION]
    low, _ = exact_interval(caught, trials)
    measured = f"{caught} of {trials} caught, {share(low)} at least; {_counted(found)}"
    if wanted is None:
        return Figure(name, measured, "")
    return Figure(name, measured, f"at least {share(wanted)}", caught >= wanted * trials)


def _bound(events: int, n: int) -> str:
    return f" ({share(exact_interval(events, n)[1])} at most)"


def _counted(found: Counter[Status]) -> str:
    others = {status: n for status, n in found.items() if status is not Status.REGRESSION}
    return ", ".join(f"{n} {status}" for status, n in sorted(others.items())) or "none otherwise"
