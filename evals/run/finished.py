"""Notebooks that were run through, kept so that an unchanged one is not run again."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from evals.measures.kept_answers import UNFINISHED
from evals.project import ROOT
from evals.results.notebook_run import NotebookRun
from evals.results.result import read_result
from evals.run.notebooks import Notebook, Value

KEPT = 60
"""Notebooks that are kept, the newest: a choice, some five runs of all; each takes a megabyte."""

_ABOUT = "run.json"
_INSTRUMENTS = ("RAG_JUDGE_", "RAG_VERIFIER_")
_CODE = ("rag_core/**/*", "evals/**/*", "loadtests/**/*", "constraints.txt")


class Finished:
    """The notebooks of a run: finished ones by all that they depend on, one under way by question.

    `folder` is where they are kept, `depends` what the whole run depends on, as JSON values. Where
    the run is to be made `again`, nothing kept is taken.
    """

    def __init__(self, folder: Path, depends: Mapping[str, Any], *, again: bool) -> None:
        self._folder, self._again = folder, again
        self._key = _digest({**depends, "code": code_digest(), "instruments": _instruments()})
        self._unfinished = folder / f"{self._key}.sqlite"

    def begin(self) -> None:
        """From now on finished questions are kept too, and those of a killed run are taken."""
        self._folder.mkdir(parents=True, exist_ok=True)
        if self._again:
            self.end()
        os.environ[UNFINISHED] = str(self._unfinished)

    def end(self) -> None:
        """The run is through: what was kept by question is done with."""
        os.environ.pop(UNFINISHED, None)
        for path in self._folder.glob(f"{self._unfinished.name}*"):
            path.unlink()

    def take(
        self, notebook: Notebook, values: Mapping[str, Value], folder: Path
    ) -> NotebookRun | None:
        """The notebook's files in `folder`, if it has been run with nothing changed since."""
        kept = self._place(notebook, values)
        if self._again or not (kept / _ABOUT).is_file():
            return None
        about = json.loads((kept / _ABOUT).read_text(encoding="utf-8"))
        for path in kept.iterdir():
            if path.name != _ABOUT:
                shutil.copy2(path, folder / path.name)
        result = read_result(folder / f"{notebook.name}.json")
        executed = folder / f"{notebook.name}.ipynb"
        return NotebookRun(
            notebook.name, executed, about["seconds"], result, kept_from=about["run"]
        )

    def keep(self, run: NotebookRun, notebook: Notebook, values: Mapping[str, Value]) -> None:
        """Keep what a notebook wrote, whole or not at all; one that failed is run again."""
        if run.problem:
            return
        folder, place = run.executed.parent, self._place(notebook, values)
        with tempfile.TemporaryDirectory(dir=self._folder) as name:
            whole = Path(name) / "whole"
            whole.mkdir()
            for path in _files(folder, notebook.name):
                shutil.copy2(path, whole / path.name)
            about = {"seconds": run.seconds, "run": folder.name}
            (whole / _ABOUT).write_text(json.dumps(about), encoding="utf-8")
            shutil.rmtree(place, ignore_errors=True)
            whole.rename(place)
        self._prune()

    def _place(self, notebook: Notebook, values: Mapping[str, Value]) -> Path:
        source = hashlib.sha256(notebook.path.read_bytes()).hexdigest()
        depends = {"run": self._key, "source": source, "values": dict(values)}
        return self._folder / f"{notebook.name}-{_digest(depends)}"

    def _prune(self) -> None:
        places = [path for path in self._folder.iterdir() if (path / _ABOUT).is_file()]
        places.sort(key=lambda path: path.stat().st_mtime)
        for path in places[:-KEPT]:
            shutil.rmtree(path, ignore_errors=True)


def code_digest(root: Path = ROOT) -> str:
    """SHA-256, in hex, over the names and bytes of all code that a notebook runs."""
    total = hashlib.sha256()
    for path in sorted(path for kind in _CODE for path in root.glob(kind)):
        if path.is_file() and "__pycache__" not in path.parts:
            total.update(f"{path.relative_to(root).as_posix()}\0".encode())
            total.update(hashlib.sha256(path.read_bytes()).digest())
    return total.hexdigest()


def file_digest(path: str) -> str:
    """SHA-256, in hex, of a file that a parameter names; empty where it names none."""
    return hashlib.sha256(Path(path).read_bytes()).hexdigest() if path else ""


def _instruments() -> dict[str, str]:
    """What judges: secrets are in it, so only its digest is kept."""
    return {k: v for k, v in sorted(os.environ.items()) if k.startswith(_INSTRUMENTS)}


def _files(folder: Path, name: str) -> Iterable[Path]:
    """What a notebook leaves: all that begins with its name, and settings that it recommends."""
    settings = folder / f"{name[3:]}.env"
    yield from (path for path in folder.glob(f"{name}[.-]*") if path.suffix != ".html")
    if settings.is_file():
        yield settings


def _digest(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]
