"""The workflow is one that GitHub reads, and names commands and files that are there."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
WORKFLOW = ROOT / ".github" / "workflows" / "gate.yml"


def test_the_workflow_is_valid() -> None:
    schema = ["--builtin-schema", "vendor.github-workflows"]
    command = [sys.executable, "-m", "check_jsonschema", *schema, str(WORKFLOW)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_its_targets_of_make_are_there() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    assert set(re.findall(r"make ([a-z-]+)", WORKFLOW.read_text())) == {"gate-runs"}
    assert {"gate", "gate-runs", "nbval"} <= targets


def test_too_small_to_tell_warns_and_all_else_blocks() -> None:
    block = WORKFLOW.read_text().rpartition("case")[2]
    codes = dict(re.findall(r"^ +(\S+)\) (.*)$", block, re.MULTILINE))
    assert set(codes) == {"0", "2", "*"}
    assert "::warning::" in codes["2"]
    assert "exit 1" in codes["*"]
