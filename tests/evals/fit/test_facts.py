from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from evals.fit.command import golden_claims
from evals.fit.facts import as_text, stated_facts
from evals.measures.citations import ABOUT
from evals.measures.vectors import Vectors
from rag_core.adapters.embedders import load_embedder
from tests.evals.light_checks import light_checker

QUESTIONS = 12


async def test_references_state_their_facts_more_often_than_other_answers_do(
    exported_model: Path,
) -> None:
    golden = golden_claims()
    dev = [each for each in golden.questions if each.split == "dev" and len(each.facts) > 1]
    vectors = Vectors(load_embedder(str(exported_model), cache_dir=exported_model))
    few = replace(golden, questions=tuple(dev[:QUESTIONS]))
    rows = await stated_facts(few, light_checker(vectors), vectors)
    (row,) = [row for row in rows if row.about == ABOUT]
    assert row.right > 2 * max(row.others, row.elsewhere)
    assert row.right > row.negated
    assert [row.right for row in rows] == sorted((row.right for row in rows), reverse=True)
    assert "*" in as_text(rows)
