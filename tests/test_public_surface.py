"""The public surface: reviewed lists, and nothing outside rag_core reaches behind them."""

from __future__ import annotations

import ast
import json
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

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


ROOT = Path(__file__).parents[1]
ROOMS = (
    "rag_core.app",
    "rag_core.access",
    *("rag_core.bootstrap", "rag_core.budget", "rag_core.cache", "rag_core.cli"),
    *("rag_core.conversation", "rag_core.domain"),
    *("rag_core.embedded", "rag_core.guard", "rag_core.providers", "rag_core.safety"),
    *("rag_core.search", "rag_core.throttle"),
    *(f"rag_core.adapters.{room}" for room in ("alerts", "documents", "embedders", "generators")),
    *(f"rag_core.adapters.{room}" for room in ("identity", "memory", "postgres", "redis")),
    "rag_core.adapters.telemetry",
)
"""Each exports its names; where a file stands in it is nobody's business outside."""

FILES = {
    *(f"rag_core.app.{file}" for file in ("contract", "problem", "protocol", "server", "workers")),
    *(
        "rag_core",
        "rag_core.cancelling",
        "rag_core.class_evidence",
        "rag_core.clock",
        "rag_core.correlation",
        "rag_core.errors",
        "rag_core.events",
        "rag_core.settings",
    ),
    *(
        f"rag_core.settings_{part}"
        for part in (
            "cache",
            "canary",
            "classes",
            "conversation",
            "documents",
            "files",
            "providers",
            "serving",
        )
    ),
    *("rag_core.imports", "rag_core.ingest", "rag_core.migrations", "rag_core.pipeline"),
    "rag_core.note_finding",
    "rag_core.adapters.postgres.worker",  # it needs the extra `queue`
    "rag_core.documents",
    *("rag_core.purge", "rag_core.side_by_side"),
    *("rag_core.request", "rag_core.__main__"),
    "rag_core.embedded.supervisor",
    *("rag_core.cli.ask", "rag_core.cli.bundle", "rag_core.cli.chat", "rag_core.cli.doctor"),
    "rag_core.cli.progress",
    # They import what few settings need: not with their rooms.
    *("rag_core.adapters.alerts.email", "rag_core.adapters.alerts.webhook"),
    "rag_core.adapters.documents.web",
    "rag_core.adapters.generators.chat_completions",
    "rag_core.adapters.generators.chat_errors",
    "rag_core.adapters.llama_tokenizer",
    # They need packages of the extra `serve`.
    *(
        f"rag_core.adapters.telemetry.{file}"
        for file in ("cells", "measure", "measures", "meter", "otlp")
    ),
    *(f"rag_core.adapters.telemetry.{file}" for file in ("otlp_metrics", "otlp_traces", "genai")),
    *(f"rag_core.adapters.telemetry.{file}" for file in ("prometheus", "recorder", "spans")),
    *(f"rag_core.adapters.telemetry.{file}" for file in ("totals", "traces")),
}
"""Files that are public themselves."""


def test_the_public_names_are_exactly_these() -> None:
    """Adding or removing one is a decision: change the list, and the changelog."""
    assert set(rag_core.__all__) == PUBLIC
    assert rag_core.__all__ == sorted(rag_core.__all__)
    assert set(dir(rag_core)) >= PUBLIC


def test_a_public_name_is_there_and_documented() -> None:
    for name in sorted(PUBLIC):
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


def test_importing_the_app_imports_nothing_that_its_settings_need_not_name() -> None:
    """No Redis, no provider over HTTP, nothing sent by OTLP, no e-mail."""
    optional = ["redis", "httpx2", "opentelemetry", "smtplib", "huggingface_hub", "onnxruntime"]
    program = f"import sys, rag_core.app; print([m for m in {optional} if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True)
    assert shown.stdout.strip() == b"[]"


def test_a_rooms_exported_names_are_there_once() -> None:
    for room in ROOMS:
        module = import_module(room)
        assert len(set(module.__all__)) == len(module.__all__)
        assert all(hasattr(module, name) for name in module.__all__)


def test_evals_tests_and_notebooks_use_nothing_but_the_public_surface() -> None:
    """What a file outside needs is exported by its room, or it is not needed."""
    reached = {
        f"{path.relative_to(ROOT)}: {name}"
        for path, tree in _sources()
        for name in _imported(tree)
        if name.startswith("rag_core") and not _is_public(name)
    }
    assert reached == set()


def _is_public(name: str) -> bool:
    module, _, member = name.rpartition(".")
    if name in FILES or name in ROOMS or module in FILES:
        return True
    types_only = module == "rag_core.domain" and member in ("Matrix", "Vector")
    health = module in ROOMS and member in ("health", "search")
    return types_only or health or (module in ROOMS and member in import_module(module).__all__)


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{each.name}" for each in node.names)
        elif isinstance(node, ast.Import):
            yield from (each.name for each in node.names)


def _sources() -> Iterator[tuple[Path, ast.AST]]:
    for folder in ("evals", "loadtests", "tests"):
        for path in (ROOT / folder).rglob("*.py"):
            yield path, ast.parse(path.read_text(encoding="utf-8"))
    for path in (ROOT / "notebooks").glob("*.ipynb"):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        for cell in cells:
            if cell["cell_type"] == "code":
                yield path, ast.parse("".join(cell["source"]))
