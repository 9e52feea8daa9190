"""Small runs as `evals run` writes them, and what can become of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any

from evals.gate.policy import AmountRule, CardRule, Policy, QualityRule, SpeedRule

QUESTIONS = [f"q{number}" for number in range(120)]
QUERIES = [f"h{number}" for number in range(400)]
MACHINE = {"cpu": "a processor", "cores": 2, "memory_gb": 8.0, "system": "", "python": ""}
MACHINE_NAMED = "a processor, 2 cores, 8 GB"
COMMIT = "a" * 40
CARD = CardRule(noticed=0.5, rejected=0.3)

POLICY = Policy(
    alpha=0.05,
    power=0.8,
    scored=0.98,
    compared=0.5,
    hard_break_repeats=7,
    blocks=10,
    notebooks=("01_quality", "02_retrieval", "04_cost"),
    quality=(
        QualityRule(suite="headings, exact", measure="R@5", margin=0.02, matters=0.005, why="r"),
        QualityRule(suite="golden", measure="R@5", why="r"),
        QualityRule(suite="golden", measure="fact_recall", why="r", card=CARD),
        QualityRule(suite="golden", measure="groundedness", why="r", card=CARD, sparse=True),
        QualityRule(
            suite="golden", measure="isolation_leaks", why="r", better="lower", never_worse=True
        ),
    ),
    cost=(
        AmountRule(amount="dollars per 1,000 requests", why="r", margin=0.05, better="lower"),
        AmountRule(amount="hit rate", why="r", margin=0.02, better="higher"),
    ),
    speed=(SpeedRule(source="retrieval", why="r"),),
)


class RecordedRun:
    """A run that can be changed before it is written."""

    def __init__(self) -> None:
        self.rows: dict[str, dict[str, dict[str, Any]]] = {
            "R@5": {q: {"value": float(n % 5 > 0)} for n, q in enumerate(QUESTIONS)},
            "fact_recall": {q: {"value": n % 5 / 4} for n, q in enumerate(QUESTIONS)},
            "groundedness": {q: {"value": 1.0} for q in QUESTIONS},
            "isolation_leaks": {q: {"value": 0.0} for q in QUESTIONS},
        }
        self.headings: dict[str, float | None] = {
            q: float(n % 5 < 2) for n, q in enumerate(QUERIES)
        }
        self.hashes = {q: f"hash of {q}" for q in QUESTIONS}
        self.answers = {
            q: {"question": f"What of {q}?", "text": f"It is {q}.", "group": ""} for q in QUESTIONS
        }
        self.cards = {m: {"noticed": 0.8, "rejected": 0.1} for m in ("fact_recall", "groundedness")}
        self.amounts = {"dollars per 1,000 requests": 0.2, "hit rate": 0.4}
        self.facts = {"judge": "none", "support checker": "light"}
        self.manifest: dict[str, Any] = {
            "revision": {"commit": COMMIT, "dirty": False},
            "machine": MACHINE,
            "dataset": {"golden": "b" * 64},
        }
        self.problems: dict[str, tuple[str, int]] = {}
        self.absent: set[str] = set()

    def change(self, measure: str, by: float, *, every: int = 1, least: float = 0.0) -> RecordedRun:
        """Every so many questions' scores of a measure, kept between `least` and 1."""
        for question in QUESTIONS[::every]:
            score = self.rows[measure][question]
            score["value"] = min(1.0, max(least, score["value"] + by))
        return self

    def say(self, question: str, text: str) -> RecordedRun:
        self.answers[question]["text"] = text
        return self

    def write(self, folder: Path) -> Path:
        folder.mkdir(parents=True)
        notebooks = {n: self._notebook(n, r) for n, r in self._results().items()}
        kept = {n: said for n, said in notebooks.items() if n not in self.absent}
        _write(folder / "summary.json", {"notebooks": kept})
        _write(folder / "manifest.json", self.manifest)
        return folder

    def _results(self) -> dict[str, dict[str, Any]]:
        quality = {
            "summary": {"rows": deepcopy(self.rows)},
            "answers": self.answers,
            "hashes": self.hashes,
        }
        retrieval = {
            "collections": {"headings": {"exact": {"R@5": self.headings}}},
            "hashes": {"headings": {q: f"hash of {q}" for q in QUERIES}},
        }
        return {
            "01_quality": {"facts": self.facts, "data": quality},
            "02_retrieval": {"facts": {}, "data": retrieval},
            "04_cost": {"facts": {}, "data": {"amounts": self.amounts}},
            "07_validity": {"facts": {}, "data": {"measures": self.cards}},
        }

    def _notebook(self, name: str, result: Mapping[str, Any]) -> dict[str, Any]:
        problem, code = self.problems.get(name, ("", 0))
        return {"problem": problem, "exit_code": code, "result": None if problem else result}


def write_probe(
    folder: Path, *, slower: float = 0.0, machine: str = MACHINE_NAMED, blocks: int = 20
) -> Path:
    """Blocks of retrieval, the candidate's `slower` by a share; some blocks were disturbed."""
    disturbed = [1.0 + 0.02 * (block % 7) for block in range(blocks)]
    base = [[2.0 * each, 2.2 * each, 1.9 * each] for each in disturbed]
    others = [[ms * (1 + slower) for ms in block] for block in reversed(base)]
    timed = {"base": base, "candidate": others}
    probe = {"base": COMMIT, "candidate": COMMIT, "machine": machine}
    _write(folder / "probe.json", {**probe, "sources": {"retrieval": timed}})
    return folder


def _write(path: Path, value: Any) -> None:
    path.write_text(json.dumps(value))
