"""The Dockerfile: clean by its linter, small in rights, and what it copies is there."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
HADOLINT = Path(sys.executable).with_name("hadolint")


def loaded(name: str) -> ModuleType:
    """A script of .ci, which is no package."""
    spec = importlib.util.spec_from_file_location(name, ROOT / ".ci" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


dockerfile, image = loaded("dockerfile"), loaded("image")
STAGES = dockerfile.read_stages(DOCKERFILE)


def words(stage: str, word: str) -> list[str]:
    """What a stage, and those it is from, tell an instruction; the stage's own last."""
    here = STAGES[stage]
    above = words(here.base, word) if here.base in STAGES else []
    return above + [each.told for each in here.instructions if each.word == word]


def test_its_linter_finds_nothing() -> None:
    done = subprocess.run([HADOLINT, DOCKERFILE], capture_output=True, text=True, check=False)
    assert done.stdout + done.stderr == ""
    assert done.returncode == 0


def test_its_linter_would_find_something() -> None:
    done = subprocess.run(
        [HADOLINT, "-"],
        input="FROM python\nRUN cd /opt\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "DL3006" in done.stdout


@pytest.mark.parametrize("stage", ["app", "migrate", "load"])
def test_what_runs_is_not_root(stage: str) -> None:
    """By number, so that an orchestrator can tell (runAsNonRoot)."""
    user, _, group = words(stage, "USER")[-1].partition(":")
    assert int(user) >= 10_000
    assert int(group) >= 10_000


def test_the_image_by_default_is_the_one_that_serves_and_says_whether_it_does() -> None:
    assert list(STAGES)[-1] == "app"
    assert words("app", "CMD") == ['["serve"]']
    assert "/opt/healthy.py" in words("app", "HEALTHCHECK")[0]


def test_whatever_pip_installs_is_known_by_its_hash() -> None:
    installing = [
        command
        for stage in STAGES
        for told in words(stage, "RUN")
        for command in told.split("&&")
        if " install " in command and "apt-get" not in command
    ]
    assert len(installing) >= 4
    assert [each for each in installing if "--require-hashes" not in each] == [
        each for each in installing if "--no-index dist/*.whl" in each
    ]


def test_what_is_copied_is_in_the_checkout_and_let_through_by_the_ignore_file() -> None:
    ignore = (ROOT / "deploy" / "Dockerfile.dockerignore").read_text().splitlines()
    passed = {line.removeprefix("!") for line in ignore if line.startswith("!")}
    copies = [each for s in STAGES.values() for each in s.instructions if each.word == "COPY"]
    sources = [path for each in copies if not each.copied_from for path in each.paths[:-1]]
    assert sources
    assert [path for path in sources if not (ROOT / path).exists()] == []
    assert [p for p in sources if p not in passed and p.partition("/")[0] not in passed] == []


def test_the_steps_that_are_run_without_an_engine_are_those_of_the_image_that_serves() -> None:
    stages = dockerfile.wanted(STAGES, "app")
    assert [stage.name for stage in stages] == ["build", "runtime", "app"]


def test_a_path_of_the_image_is_put_below_the_folder_that_stands_for_its_root() -> None:
    placed = image.placed("/opt/rag/bin/python x/opt --a=/build/b PATH=/opt/a:/usr/bin", Path("/r"))
    assert placed == "/r/opt/rag/bin/python x/opt --a=/r/build/b PATH=/r/opt/a:/usr/bin"


def test_an_instruction_that_is_not_known_is_refused(tmp_path: Path) -> None:
    strange = tmp_path / "Dockerfile"
    strange.write_text("FROM python:3.12 AS app\nONBUILD RUN true\n")
    with pytest.raises(ValueError, match="ONBUILD"):
        dockerfile.read_stages(strange)
