"""`budgets.env`: a setting as an environment file that says where it comes from."""

from __future__ import annotations

import textwrap
from dataclasses import fields
from pathlib import Path

from evals.budgets.grid import BudgetSetting
from evals.budgets.study import BudgetStudy
from evals.budgets.wording import choice_sentence

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
