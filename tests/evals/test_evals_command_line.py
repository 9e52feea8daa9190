"""`python -m evals`: mistakes are answered at once, with what to do."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from evals.__main__ import main
from evals.project import GOLDEN, ROOT


@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "--parameter", "sed=7"], "Did you mean 'seed'"),
        (["run", "--parameter", "seed"], "NAME=VALUE"),
        (["run", "--only", "qualty"], "there is no notebook 'qualty'"),
        (["calibrate", "no/such/folder"], "no such file"),
        (["lint", "no/such/folder"], "holds no notebooks"),
        (["build-golden", "absent", "absent", "out"], "absent/henry.passages.jsonl"),
        (["validate", "no/such/folder"], "no/such/folder"),
        (["bench", "cache", "--only", "frosen"], "Parts: cached, "),
        (["consistency", "--break", "early epoch"], "late epoch"),
        (["drill", "provider-hang"], "all, provider-500s, "),
        (["sweep", "--objective", "best"], "best-under-X"),
        (["sweep", "--top-k", "three"], "top_k: 'three'"),
        (["sweep", "--max-usd", "-1", "--profile", "smoke"], "max_usd"),
        (["sweep", "--golden", "no/such/folder"], "no/such/folder"),
        (["compare", "no/such/run", "golden"], "no/such/run"),
        (["claims", "no/such.jsonl"], "no/such.jsonl: cannot be read"),
        (["classes", "no/such.jsonl"], "no/such.jsonl: cannot be read"),
        (["bench", "nothing"], "is not one of 'access'"),
        ([], "Missing command"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    printed = capsys.readouterr().err
    assert printed.startswith("error: ")
    assert message in printed
    assert printed.count("\n") == 1


def test_the_notebooks_of_the_project_pass_their_lint(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["lint"]) == 0
    assert "nothing to complain of" in capsys.readouterr().out


def test_the_golden_data_of_the_project_are_valid(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["validate", str(GOLDEN)]) == 0
    assert "nothing to complain of" in capsys.readouterr().out


def test_a_notebook_with_problems_exits_with_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "01_a.ipynb").write_text("{}")
    assert main(["lint", str(tmp_path)]) == 3
    assert "01_a.ipynb" in capsys.readouterr().out


def test_claims_of_ones_own_are_scored_by_every_checker(
    tmp_path: Path,
    exported_model: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("RAG_EMBEDDER_MODEL", str(exported_model))
    monkeypatch.setenv("RAG_HOME", str(tmp_path))
    file = tmp_path / "claims.jsonl"
    doc = "Rain falls on the hills in March, and the farmers are glad."
    rows = [
        {"doc": doc, "claim": doc, "label": 1, "dataset": "weather"},
        {"doc": doc, "claim": "Parliament voted on the budget.", "label": 0, "dataset": "weather"},
    ]
    file.write_text("".join(f"{json.dumps(row)}\n" for row in rows))
    assert main(["claims", str(file), "--json"]) == 0
    cards = {card["checker"]: card for card in json.loads(capsys.readouterr().out)}
    assert {"light", "cosine", "ragas bleu", "ragas semantic similarity"} <= cards.keys()
    assert {card["auc"]["value"] for card in cards.values()} == {1.0}
    assert main(["claims", str(file)]) == 0
    assert "Wrong claims noticed" in capsys.readouterr().out

    file.write_text('{"claim": "x", "doc": "y", "label": 3}\n')
    assert main(["claims", str(file)]) == 2
    said = capsys.readouterr().err
    assert said.startswith(f"error: {file} line 1, field label")
    assert said.count("\n") == 1


def test_help_teaches_with_examples_and_exit_codes() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "evals", "--help"], capture_output=True, text=True, check=True
    )
    assert "python -m evals calibrate" in done.stdout
    assert "..." not in done.stdout.partition("Commands:")[2], "summaries are whole"
    assert "exit codes: 0 pass" in done.stdout


def outside(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command as a wheel would hold it: without the checkout's data."""
    shutil.copytree(ROOT / "evals", folder / "evals", ignore=shutil.ignore_patterns("__pycache__"))
    return subprocess.run(
        [sys.executable, "-m", "evals", *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(folder), str(ROOT)])},
        check=False,
    )


@pytest.mark.parametrize("arguments", [["run"], ["lint"], ["calibrate", "somewhere"]])
def test_outside_of_a_checkout_one_line_says_where_to_go(
    tmp_path: Path, arguments: list[str]
) -> None:
    done = outside(tmp_path, *arguments)
    assert done.returncode == 3
    assert done.stderr.startswith("error: evals: ")
    assert "Clone the repository" in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_evals_of_one_checkout_do_not_measure_the_rag_core_of_another(tmp_path: Path) -> None:
    for data in ("golden", "notebooks"):
        (tmp_path / data).mkdir()
    done = outside(tmp_path, "run")
    assert done.returncode == 3
    assert f"would measure {ROOT / 'rag_core'}" in done.stderr
    assert f"PYTHONPATH={tmp_path}" in done.stderr
