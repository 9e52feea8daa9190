"""Which budgets of which class were shown to lose next to nothing; no other ones are used.

A file holds, under `shown`, rows like `{"class": "list", "budgets": {"context_tokens": 600},
"instead_of": {"context_tokens": 1200, "output_tokens": 400, "providers": ["extractive"]},
"n": 80}`. The package's own is empty: `python -m evals classes --budgets` has shown
nothing yet, so no class is used.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

from rag_core.domain.question_class import ClassBudgets, QuestionClass
from rag_core.errors import ConfigurationError

_VARIABLE = "RAG_CLASS_EVIDENCE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """Budgets of a class that lost less than the tolerated share of facts, on `n` test questions.

    `instead_of` are the budgets of every question that they were compared with: beside others the
    same budgets show nothing. Their `providers` are who wrote, all that was asked.
    """

    kind: QuestionClass
    budgets: ClassBudgets
    instead_of: ClassBudgets
    n: int


def read_class_evidence(file: Path | None = None) -> tuple[Shown, ...]:
    """What `file` says was shown; without one, what the package's own says.

    Raises:
        ConfigurationError: the file cannot be read, or is not such a file.
    """
    try:
        own = files("rag_core").joinpath("class_evidence.json")
        stored = json.loads(file.read_text("utf-8") if file else own.read_text("utf-8"))
        return tuple(_shown(each) for each in stored["shown"])
    except OSError as error:
        problem = f"{str(file)!r} cannot be read ({error.strerror})"
    except (ValueError, KeyError, TypeError) as error:
        problem = f"{str(file)!r} is no evidence of classes ({type(error).__name__}: {error})"
    fix = "Name a file of the form that rag_core/class_evidence.py shows, or none"
    raise ConfigurationError(_VARIABLE, problem, fix)


def proven(
    wanted: Mapping[QuestionClass, ClassBudgets],
    usual: ClassBudgets,
    evidence: tuple[Shown, ...],
) -> dict[QuestionClass, ClassBudgets]:
    """Those of `wanted` that were shown to lose next to nothing beside what is `usual`."""
    return {
        kind: budgets
        for kind, budgets in wanted.items()
        if any(_shows(shown, kind, budgets, usual) for shown in evidence)
    }


def _shows(shown: Shown, kind: QuestionClass, budgets: ClassBudgets, usual: ClassBudgets) -> bool:
    full, seen = completed(budgets, usual), completed(shown.budgets, shown.instead_of)
    return shown.kind == kind and shown.instead_of == usual and seen == full


def completed(budgets: ClassBudgets, usual: ClassBudgets) -> ClassBudgets:
    """`budgets`, with the usual ones in place of what is not set."""
    return ClassBudgets(
        context_tokens=budgets.context_tokens or usual.context_tokens,
        output_tokens=budgets.output_tokens or usual.output_tokens,
        providers=budgets.providers or usual.providers,
    )


def _shown(row: Mapping[str, object]) -> Shown:
    n = row["n"]
    if not isinstance(n, int):
        raise TypeError(f"n must be a number of questions, got {n!r}")
    return Shown(
        kind=QuestionClass(str(row["class"])),
        budgets=_budgets(row["budgets"]),
        instead_of=_budgets(row["instead_of"]),
        n=n,
    )


def _budgets(row: object) -> ClassBudgets:
    if not isinstance(row, dict):
        raise TypeError(f"budgets must be an object, got {row!r}")
    providers = tuple(map(str, row.get("providers", ())))
    return ClassBudgets(**(row | {"providers": providers}))
