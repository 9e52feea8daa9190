"""`budgets.env`: a setting as an environment file that says where it comes from."""

from __future__ import annotations

import textwrap
from dataclasses import fields
from pathlib import Path

from evals.budgets.grid import BudgetSetting
from evals.budgets.study import BudgetStudy
from evals.budgets.wording import choice_sentence
from evals.results.recommendation import Recommendation

ENV_FILE = "budgets.env"


def env_lines(study: BudgetStudy, setting: BudgetSetting) -> list[str]:
    """Comments (what was found, objective, digests, commit), then NAME=value for each budget."""
    said = choice_sentence(study) if setting == study.recommended else "Set by hand."
    facts = {
        "objective": str(study.choice.objective),
        "measured at pipeline digest": study.pipeline_digest,
        "golden data digest": study.golden.digest,
        "commit": study.commit,
    }
    recut = setting.chunking != study.choice.current.chunking
    return [
        *(f"# {line}" for line in textwrap.wrap(said, 98)),
        *(f"# {name}: {value}" for name, value in facts.items()),
        *(["# Notes must be ingested again: they are cut otherwise."] if recut else []),
        *(f"RAG_{each.name.upper()}={getattr(setting, each.name)}" for each in fields(setting)),
    ]


def write_env(study: BudgetStudy, setting: BudgetSetting, out_path: Path) -> Path:
    """Write `budgets.env` beside the result at `out_path`; returns its path."""
    path = out_path.with_name(ENV_FILE)
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = env_lines(study, setting)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def recommendation(study: BudgetStudy) -> Recommendation:
    """What a run's `recommended.env` takes from this study."""
    now, then = study.choice.current, study.recommended
    names = {each.name: f"RAG_{each.name.upper()}" for each in fields(then)}
    why = "no other value is confirmed on questions of split test"
    return Recommendation(
        objective=f"{study.choice.objective}. {choice_sentence(study)}",
        settings={
            variable: str(getattr(then, name))
            for name, variable in names.items()
            if getattr(then, name) != getattr(now, name)
        },
        kept={
            variable: why
            for name, variable in names.items()
            if getattr(then, name) == getattr(now, name) and _was_tried(study, name)
        },
    )


def _was_tried(study: BudgetStudy, name: str) -> bool:
    return len({getattr(setting, name) for setting in study.dev.settings}) > 1
