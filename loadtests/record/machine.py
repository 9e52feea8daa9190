"""What a run was made on, and of which code."""

from __future__ import annotations

import platform
import re
import subprocess
from pathlib import Path

import psutil

ROOT = Path(__file__).parents[2]


def cores() -> int:
    """The number of cores that this process may use."""
    if hasattr(psutil.Process, "cpu_affinity"):  # not on macOS
        return len(psutil.Process().cpu_affinity())
    return psutil.cpu_count() or 1


def cpu() -> str:
    """The processor's name."""
    info = Path("/proc/cpuinfo")
    text = info.read_text() if info.is_file() else ""
    found = re.search(r"^model name\s*:\s*(.+)$", text, re.MULTILINE)
    return found[1].strip() if found else platform.processor() or platform.machine()


def commit() -> str:
    """The checkout's commit, and whether files differ from it; empty where there is no git."""
    hash_of, status = _git("rev-parse", "--short=12", "HEAD"), _git("status", "--porcelain")
    return hash_of + " with uncommitted changes" * bool(hash_of and status)


def _git(*words: str) -> str:
    try:
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True)
    except FileNotFoundError:
        return ""
    return done.stdout.strip()
