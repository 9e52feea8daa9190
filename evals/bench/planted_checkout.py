"""Copies of this checkout in which faults sleep until a file in the copy's `.rag` names one.

All copies are one commit, so what a fault does not reach need not be measured again: the gate puts
runs of one commit together. The commit's id follows from the files alone.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evals.project import ROOT
from rag_core.errors import ConfigurationError

_KEPT = (".git", ".rag")
"""Of an older copy: a probe's stored notes, and what need not be made again."""

_FAULT = Path(".rag") / "planted"
_WHO_IS_AWAKE = (
    "from pathlib import Path\n\n"
    f"FILE = Path(__file__).parents[1] / {str(_FAULT)!r}\n"
    'FAULT = FILE.read_text() if FILE.exists() else ""\n'
)
"""The module `rag_core.planted` of a copy."""

_NOBODY = {
    f"GIT_{who}_{what}": said
    for who in ("AUTHOR", "COMMITTER")
    for what, said in (("NAME", "bench"), ("EMAIL", "bench@localhost"), ("DATE", "@0 +0000"))
}


@dataclass(frozen=True, slots=True)
class Edit:
    """A fault: in the file at `path`, `old`, which stands there once, gives way to `new`.

    It does so where FAULT of `rag_core.planted` is its name, which `new` must ask.
    """

    path: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Checkout:
    """A folder with this checkout's files and the sleeping faults, all committed."""

    folder: Path

    def wake(self, fault: str = "") -> None:
        """From now on its processes have that fault, and no other."""
        path = self.folder / _FAULT
        path.parent.mkdir(exist_ok=True)
        path.write_text(fault, encoding="utf-8")

    @property
    def golden(self) -> Path:
        """Its golden folder."""
        return self.folder / "golden"


def copied(folder: Path, edits: Sequence[Edit] = (), root: Path = ROOT) -> Checkout:
    """A copy in `folder`, in place of an older one; no fault of its `edits` is awake.

    Raises:
        ConfigurationError: `root` is no git checkout, or has not what an edit replaces.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        if path.name not in _KEPT:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    for name in _git(root, "ls-files", "-z", "-co", "--exclude-standard").split("\0"):
        if name and (root / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, folder / name)
    for edit in edits:
        _apply(edit, folder)
    (folder / "rag_core" / "planted.py").write_text(_WHO_IS_AWAKE, encoding="utf-8")
    _commit(folder)
    made = Checkout(folder)
    made.wake()
    return made


def _apply(edit: Edit, folder: Path) -> None:
    path = folder / edit.path
    text = path.read_text(encoding="utf-8")
    if text.count(edit.old) != 1:
        raise ConfigurationError(
            edit.path, f"has not what a fault is planted in: {edit.old!r}", "Plant it elsewhere"
        )
    path.write_text(text.replace(edit.old, edit.new), encoding="utf-8")


def _commit(folder: Path) -> None:
    _git(folder, "init", "--quiet")
    _git(folder, "add", "--all")
    tree = _git(folder, "write-tree")
    _git(folder, "update-ref", "HEAD", _git(folder, "commit-tree", tree, "-m", "a copy"))


def _git(folder: Path, *arguments: str) -> str:
    # Not those of a hook that calls us: they would name another repository.
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(
        ("git", "-C", str(folder), *arguments),
        env=inherited | _NOBODY,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ConfigurationError(f"git {arguments[0]}", done.stderr.strip(), "Use a git checkout")
    return done.stdout.strip()
