"""The gate at a terminal: its exit codes are verdicts, and a mistake is none."""

from __future__ import annotations

from pathlib import Path

import pytest

from evals.__main__ import main
from evals.gate.policy import POLICY, read_policy
from rag_core.errors import InvalidInput


@pytest.mark.parametrize(
    "arguments",
    [
        ["--nonsense"],
        [],
        ["--candidate", "no-such-folder"],
        ["--candidate", ".", "--without", "quality"],
        ["--candidate", ".", "--policy", "no-such-file"],
        ["--candidate", ".", "--seed", "many"],
    ],
)
def test_a_mistyped_option_is_no_verdict(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Not 2, which means that nobody can tell."""
    assert main(["gate", *arguments]) == 64
    assert capsys.readouterr().err.startswith("error: ")


def test_a_folder_without_a_run_is_invalid_and_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("before", "after"):
        (tmp_path / name).mkdir()
    folders = ["--baseline", str(tmp_path / "before"), "--candidate", str(tmp_path / "after")]
    assert main(["gate", *folders]) == 3
    assert "INVALID (exit code 3)" in capsys.readouterr().out
    written = {path.name for path in (tmp_path / "after").iterdir()}
    assert written == {"gate.html", "gate.md", "gate.xml"}


def test_the_committed_policy_is_one() -> None:
    policy = read_policy()
    assert {rule.suite for rule in policy.quality} >= {"golden", "henry-headings, exact"}
    assert all(rule.why for rule in (*policy.quality, *policy.cost, *policy.speed))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("alpha = 0.025", "alpha = 5", "alpha must be in"),
        ("margin = 0.02", "margin = 0.001", "0 < matters <= margin"),
        ("power = 0.8", "powers = 0.8", "powers"),
        ("power = 0.8", "", "power"),
    ],
)
def test_a_mistake_in_the_policy_names_the_field(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    path = tmp_path / "gate.toml"
    path.write_text(POLICY.read_text().replace(old, new, 1))
    with pytest.raises(InvalidInput, match=said):
        read_policy(path)


def test_what_is_no_checkout_cannot_be_timed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["probe", "--base", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert "is no checkout" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
