"""Installing: uv is told what pip is told, constraints name no host, make knows its targets."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parent.parent
PINS = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()


@pytest.fixture
def uv(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> ModuleType:
    """`.ci/uv.py`, on a machine whose pip has no settings."""
    for name in ("PIP_FIND_LINKS", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "UV_TORCH_BACKEND"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    spec = importlib.util.spec_from_file_location("ci_uv", ROOT / ".ci" / "uv.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_uv_takes_packages_from_where_pip_takes_them(
    uv: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = tmp_path / "pip.conf"
    settings.write_text(
        "[global]\nindex-url = https://one.example/simple\n"
        "extra-index-url =\n    https://two.example/simple\n    file:///three\n"
        "[install]\nfind-links = /old\n"
    )
    monkeypatch.setenv("PIP_CONFIG_FILE", str(settings))
    monkeypatch.setenv("PIP_FIND_LINKS", "/wheels /more")

    told = uv.environment()

    assert told["UV_DEFAULT_INDEX"] == "https://one.example/simple"
    assert told["UV_INDEX"] == "https://two.example/simple file:///three"
    assert told["UV_INDEX_STRATEGY"] == "unsafe-best-match"
    assert told["UV_FIND_LINKS"] == "/wheels,/more", "the environment wins, as for pip"
    assert "UV_TORCH_BACKEND" not in told


def test_what_uv_is_told_itself_counts_even_nothing(
    uv: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_INDEX_URL", "https://one.example/simple")
    monkeypatch.setenv("PIP_FIND_LINKS", "/wheels")
    monkeypatch.setenv("UV_DEFAULT_INDEX", "https://other.example/simple")
    monkeypatch.setenv("UV_FIND_LINKS", "")

    told = uv.environment()

    assert told["UV_DEFAULT_INDEX"] == "https://other.example/simple"
    assert "UV_FIND_LINKS" not in told


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere no torch comes with CUDA")
def test_without_sources_of_ones_own_torch_comes_without_cuda(uv: ModuleType) -> None:
    assert uv.environment()["UV_TORCH_BACKEND"] == "cpu"


def test_constraints_name_no_host_no_path_and_no_build_of_torch() -> None:
    assert [pin for pin in PINS if re.search(r"://|^-|\+| @ ", pin)] == []
    assert [pin for pin in PINS if pin.startswith("torch==")] == ["torch==2.13.0"]


def normalised(need: str) -> str:
    """The name in a requirement, as registries spell it."""
    return re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", need)[0]).lower()


def test_every_direct_dependency_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    needs = [
        *project["project"]["dependencies"],
        *(need for extra in project["project"]["optional-dependencies"].values() for need in extra),
        *(need for group in project["dependency-groups"].values() for need in group),
    ]
    names = {normalised(need) for need in needs if isinstance(need, str)}

    assert names - {"rag-core"} <= {pin.partition("==")[0] for pin in PINS}


def test_make_does_not_pretend_to_know_a_target() -> None:
    for target in ["gaet"]:
        done = subprocess.run(
            ["make", "-n", target], cwd=ROOT, capture_output=True, text=True, check=False
        )

        assert done.returncode == 2
        assert "No rule to make target" in done.stderr
