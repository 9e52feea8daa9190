"""What is said of the budgets of classes: a verdict each, a table, and what the settings use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np

from evals.budgets.by_class import TOLERANCE, ClassBudgetsStudy
from evals.budgets.choice import GUARDED
from evals.budgets.grid import BudgetSetting
from evals.budgets.outcomes import FACTS_STATED, TOKENS_IN, TOKENS_OUT, Difference, Outcomes
from evals.budgets.wording import bare_cost_change, bare_points, cost_change, points
from evals.results.result import Cell, Table
from evals.results.table import text_table
from evals.stats.clustered import FEW
from rag_core.class_evidence import proven, read_class_evidence
from rag_core.domain import ClassBudgets, QuestionClass
from rag_core.settings import Settings
from rag_core.settings_classes import usual_budgets, wanted_budgets

Studies = Mapping[QuestionClass, ClassBudgetsStudy]

_COLUMNS = (
    "class by rules", "verdict", "why", "n dev", "n test", "n with facts", "budgets", *GUARDED,
    "tokens in", "tokens out", "dollars",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class DeployedClasses:
    """The classes that the settings give budgets, and those of them that evidence lets them use."""

    wanted: Mapping[QuestionClass, ClassBudgets]
    used: Mapping[QuestionClass, ClassBudgets]
    evidence: str
    """The name of the file that says what was shown."""
    rows: int
    """Number of budgets that it shows."""

    @classmethod
    def of(cls, settings: Settings) -> DeployedClasses:
        """Those of `settings`.

        Raises:
            ConfigurationError: the evidence cannot be read, or a provider lacks a setting.
        """
        wanted, shown = wanted_budgets(settings), read_class_evidence(settings.class_evidence)
        used = proven(wanted, usual_budgets(settings), shown)
        name = settings.class_evidence.name if settings.class_evidence else "class_evidence.json"
        return cls(wanted=wanted, used=used, evidence=name, rows=len(shown))

    @property
    def refused(self) -> list[QuestionClass]:
        """Classes whose budgets are set and are not used, as nothing shows what they cost."""
        return [kind for kind in self.wanted if kind not in self.used]


def verdict(study: ClassBudgetsStudy) -> str:
    """`shown: n 135`, `not shown: n 5`, `not measured: n 0`, or that there is nothing cheaper."""
    if study.setting == study.test.current and study.test.questions:
        return f"nothing cheaper: n {len(study.dev.questions)} on dev"
    if not study.n:
        return "not measured: n 0"
    return f"{'shown' if study.shown else 'not shown'}: n {study.n}"


def why(study: ClassBudgetsStudy) -> str:
    """What the verdict rests on."""
    lost = f"{100 * TOLERANCE:g} points of the facts"
    if study.setting == study.test.current and study.test.questions:
        return f"dev finds none that loses less than {lost}"
    if not study.n:
        return "no golden question of it to measure on"
    if study.n < FEW:
        return "too few questions for an interval"
    if study.shown:
        return f"loses less than {lost}"
    if any(each.high < 0 for each in study.differences.values()):
        return "facts are lost"
    return f"a loss of {lost} is not ruled out"


def sentence(studies: Studies, deployed: DeployedClasses) -> str:
    """What was found of each class, and what of it the settings use."""
    found = "; ".join(f"{kind.in_words} {_in_short(each)}" for kind, each in studies.items())
    said = found or "not measured, as an LLM is asked in the profile full alone"
    return f"Cheaper budgets by class: {said}. {_in_use(studies, deployed)}"


def _in_short(study: ClassBudgetsStudy) -> str:
    words = verdict(study)
    if study.n < FEW or study.setting is None:
        return words
    stated = points(study.differences[FACTS_STATED])
    return f"{words}, dollars {cost_change(study.test, study.setting)}, facts stated {stated}"


def _in_use(studies: Studies, deployed: DeployedClasses) -> str:
    if not deployed.wanted:
        shown = f"{deployed.evidence} shows {deployed.rows or 'none'}"
        return f"The settings use no class: they give none budgets of its own, and {shown}."
    sentences = [
        f"The settings use {_named(list(deployed.used))}.",
        f"Refused for want of evidence: {_named(deployed.refused)}." if deployed.refused else "",
    ]
    unseen = [kind for kind in deployed.used if kind in studies and not studies[kind].shown]
    if unseen:
        sentences.append(f"Used by {deployed.evidence} and not shown here: {_named(unseen)}.")
    return " ".join(filter(None, sentences))


def _named(kinds: list[QuestionClass]) -> str:
    return ", ".join(kind.in_words for kind in kinds) or "no class"


def class_table(studies: Studies) -> Table:
    """A row a class: budgets, what they save, what they cost, the verdict."""
    return Table(
        "What would cheaper budgets of a class save, and cost?",
        _COLUMNS,
        tuple(_row(kind, each) for kind, each in studies.items()),
        "Budgets of a class, chosen on dev unless set, beside those of every question; differences "
        "are paired, on test, in points of the facts with 95 % intervals, and without one below "
        f"{FEW} questions. Tokens are means of a question, now and then; dollars are at an LLM's "
        "prices, whoever wrote the answers.",
    )


def _row(kind: QuestionClass, study: ClassBudgetsStudy) -> tuple[Cell, ...]:
    n = (len(study.dev.questions), len(study.test.questions), study.n)
    said = (verdict(study), why(study))
    if study.setting is None or not study.differences:
        same = "as they are" if study.setting else ""
        return (kind.in_words, *said, *n, same, *("" for _ in GUARDED), "", "", "")
    budgets, place = study.setting.beside(study.test.current), study.test.place(study.setting)
    return (
        *(kind.in_words, *said, *n, f"{budgets}, as set" if study.wanted else budgets),
        *(_points(each) for each in study.differences.values()),
        *(_tokens(study.test, name, place) for name in (TOKENS_IN, TOKENS_OUT)),
        _cost(study.test, study.setting),
    )


def _points(difference: Difference) -> str:
    if difference.n >= FEW:
        return points(difference)
    said = bare_points(difference)
    return f"{said}, n {difference.n}" if difference.changed else said


def _tokens(outcomes: Outcomes, measure: str, place: int) -> str:
    means = outcomes.means(measure).value
    known = np.isfinite(means[[0, place]]).all()
    return f"{means[0]:,.0f} → {means[place]:,.0f}" if known else "not known"


def _cost(outcomes: Outcomes, setting: BudgetSetting) -> str:
    said = cost_change if len(outcomes.questions) >= FEW else bare_cost_change
    return said(outcomes, setting)


def as_text(studies: Studies) -> str:
    """The table, for a terminal."""
    table = class_table(studies)
    rows = [[str(cell) for cell in row] for row in table.rows]
    return f"{table.caption}\n{text_table(table.columns, rows)}"


def as_record(studies: Studies) -> dict[str, Any]:
    """What was chosen or set, and what test says of it, by class, for JSON."""
    return {kind: _record(study) for kind, study in studies.items()}


def _record(study: ClassBudgetsStudy) -> dict[str, Any]:
    return {
        "n_dev": len(study.dev.questions),
        "n_test": len(study.test.questions),
        "n": study.n,
        "chosen": str(study.choice.setting) if study.choice else None,
        "set": str(study.wanted) if study.wanted else None,
        "differences": {
            name: asdict(replace(each, low=each.at_least))
            for name, each in study.differences.items()
        },
        "shown": study.shown,
        "verdict": verdict(study),
    }
