"""Prometheus and promtool of this machine, or those that `make prometheus` has fetched."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest


def program(name: str) -> str:
    """The path of `prometheus` or `promtool`; the test is skipped where there is none."""
    fetched = Path(sys.prefix) / "prometheus" / name
    found = shutil.which(name) or (str(fetched) if fetched.is_file() else None)
    if found is None:
        pytest.skip(f"NOT TESTED: there is no {name} here; `make prometheus` fetches it by apt")
    return found
