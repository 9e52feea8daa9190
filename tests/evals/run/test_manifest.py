"""What a manifest says of commit, machine, packages and settings."""

from __future__ import annotations

import subprocess
from pathlib import Path

import numpy as np
from pydantic import SecretStr

from evals.run.manifest import Revision, masked, packages, revision
from rag_core.settings import Settings


def git(folder: Path, *arguments: str) -> None:
    identity = ("-c", "user.name=n", "-c", "user.email=e@example.org")
    subprocess.run(
        ["git", *identity, "-C", str(folder), *arguments], check=True, capture_output=True
    )


def test_a_commit_is_clean_until_a_file_changes(tmp_path: Path) -> None:
    git(tmp_path, "init")
    (tmp_path / "a").write_text("1")
    git(tmp_path, "add", "a")
    git(tmp_path, "commit", "-m", "first")
    clean = revision(tmp_path)
    (tmp_path / "a").write_text("2")
    changed = revision(tmp_path)
    assert clean.commit is not None
    assert len(clean.commit) == 40
    assert (clean.dirty, changed.dirty) == (False, True)
    assert changed.commit == clean.commit
    assert clean.short == clean.commit[:8]


def test_a_new_file_makes_it_dirty(tmp_path: Path) -> None:
    git(tmp_path, "init")
    git(tmp_path, "commit", "--allow-empty", "-m", "first")
    (tmp_path / "new").write_text("1")
    assert revision(tmp_path).dirty is True


def test_outside_a_repository_the_commit_is_unknown(tmp_path: Path) -> None:
    assert revision(tmp_path) == Revision(None, None)
    assert revision(tmp_path).short == "nocommit"


def test_secrets_are_masked_and_say_that_they_are_set() -> None:
    settings = Settings(
        hf_token=SecretStr("hf_verysecret"), database_url=SecretStr("postgresql://u:pw@h/d")
    )
    shown = masked(settings)
    assert shown["hf_token"] == shown["database_url"] == "set, hidden"
    assert "verysecret" not in str(shown)
    assert "pw" not in str(shown["database_url"])
    assert shown["top_k"] == settings.top_k


def test_a_secret_that_is_not_set_is_none() -> None:
    assert masked(Settings())["hf_token"] is None


def test_folders_of_the_machine_are_not_told() -> None:
    assert masked(Settings(home=Path("/home/someone/.rag")))["home"] == ".rag"


def test_packages_are_those_that_the_project_names() -> None:
    found = packages()
    assert found["numpy"] == np.__version__
    assert "rag_core" in found
    assert "setuptools" not in found
