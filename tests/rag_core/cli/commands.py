"""Commands, run in this process or in one of their own, and how they ended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Ran:
    """How a command ended."""

    exit_code: int
    out: str
    err: str


Run = Callable[..., Ran]


def in_a_shell(*arguments: str, **environment: str) -> Ran:
    """Runs a command as a process of its own."""
    ran = subprocess.run(
        [sys.executable, "-m", "rag_core", *arguments],
        capture_output=True,
        text=True,
        env=os.environ | environment,
        check=False,
    )
    return Ran(ran.returncode, ran.stdout, ran.stderr)


def cited(ran: Ran) -> set[object]:
    """Ids of the notes that an answer rests on."""
    return {citation["note_id"] for citation in json.loads(ran.out)["citations"]}
