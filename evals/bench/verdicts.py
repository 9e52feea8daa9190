"""What the gate says of candidates as people make them, beside what it must say."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

from evals.bench.figures import Bench, Figure
from evals.bench.planted_runs import Workshop, judged
from evals.bench.verdict_cases import CASES
from evals.gate.finding import EXIT_CODES
from evals.project import ROOT
from rag_core.errors import RagError

NAMED = 3
"""Figures to blame that a row names: the runs' gate.md has all."""


async def _shown(folder: Path, *, shop: Workshop, name: str) -> list[Figure]:
    del folder  # runs stay, for a person to look at
    case = CASES[name]
    wanted = f"{case.verdict}, {EXIT_CODES[case.verdict]}"
    if case.blamed:
        wanted += f", for {' or '.join(case.blamed)}"
    try:
        made = await case.make(shop, shop.new_runs(name))
    except RagError as error:
        return [Figure(name, f"could not be made: {error}", wanted, met=False)]
    seen = await judged(made.baseline, made.candidate, *made.options)
    right = (seen.verdict, seen.code) == (case.verdict, EXIT_CODES[case.verdict])
    met = right and (not case.blamed or not set(case.blamed).isdisjoint(seen.blamed))
    return [Figure(name, f"{seen.line}{_named(seen.blamed, case.blamed)}", wanted, met)]


def _named(blamed: Sequence[str], first: Sequence[str]) -> str:
    """Whom the gate blames, those who were expected before the others."""
    names = sorted(blamed, key=lambda name: name not in first)
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f" Blamed: {', '.join(names[:NAMED])}{more}." if names else ""


def verdicts(folder: Path = ROOT / "build" / "verdicts") -> dict[str, Bench]:
    """A benchmark a case, by its name; what they share is made once."""
    shop = Workshop(folder)
    return {name: partial(_shown, shop=shop, name=name) for name in CASES}
