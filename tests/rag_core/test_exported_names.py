"""The public surface: a reviewed list, imported lazily."""

from __future__ import annotations

import subprocess
import sys

import pytest

import rag_core

PUBLIC = {
    *("Answer", "Citation", "Flag", "Provenance", "Usage"),
    *("Note", "Verses"),
    *("Application", "Pipeline", "assemble", "build", "migrate"),
    *("Settings", "load_settings"),
    *("ConfigurationError", "InvalidInput", "ProviderError", "RagError"),
    *("Unauthenticated", "Unavailable"),
}
HEAVY = "torch sentence_transformers ragas onnxruntime tokenizers psycopg redis numpy pydantic"


def test_the_public_names_are_exactly_these() -> None:
    """Adding or removing one is a decision: change the list, and the changelog."""
    assert set(rag_core.__all__) == PUBLIC
    assert rag_core.__all__ == sorted(rag_core.__all__)
    assert set(dir(rag_core)) >= PUBLIC


@pytest.mark.parametrize("name", sorted(PUBLIC))
def test_a_public_name_is_there_and_documented(name: str) -> None:
    assert getattr(rag_core, name).__doc__


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'Anser'"):
        rag_core.Anser  # noqa: B018 - looking is the test


def test_importing_rag_core_imports_nothing_heavy() -> None:
    program = f"import sys, rag_core; print([m for m in {HEAVY.split()} if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert shown.stdout.strip() == b"[]"


def test_the_pipelines_own_modules_need_no_server_library_nor_numpy() -> None:
    program = (
        "import sys, rag_core.pipeline, rag_core.ingest;"
        f"print([m for m in {HEAVY.split()} if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert shown.stdout.strip() == b"[]"
