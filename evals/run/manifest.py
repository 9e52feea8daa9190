"""The manifest: everything needed to say what a run measured, and to repeat it."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from evals.results.machine import Machine
from rag_core.settings import Settings

_NAME = re.compile(r"^[A-Za-z0-9._-]+")
HIDDEN = "set, hidden"


@dataclass(frozen=True, slots=True)
class Revision:
    """The commit that ran; `dirty` when files differed from it. None outside a repository."""

    commit: str | None
    dirty: bool | None

    @property
    def short(self) -> str:
        """Eight characters for a folder's name."""
        return self.commit[:8] if self.commit else "nocommit"

    @property
    def full(self) -> str:
        """The whole commit, and whether files differ from it."""
        return (self.commit or "none") + (" and changes" if self.dirty else "")


@dataclass(frozen=True)
class Manifest:
    """See the module; every value is JSON."""

    revision: Revision
    code: str
    """Where rag_core and the evals were imported from, by this process and by the kernels."""
    profile: str
    seed: int
    started: str
    finished: str
    seconds: float
    machine: Machine
    dataset: Mapping[str, str]
    models: Mapping[str, str]
    cache: Mapping[str, str]
    settings: Mapping[str, Any]
    packages: Mapping[str, str]
    notebooks: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Plain JSON values."""
        return asdict(self)


def revision(folder: Path) -> Revision:
    """The commit of the repository that `folder` belongs to."""
    commit = _git(folder, "rev-parse", "--verify", "--quiet", "HEAD")
    status = _git(folder, "status", "--porcelain", "--untracked-files=normal")
    return Revision(commit or None, None if status is None else bool(status))


def packages(distribution: str = "rag_core") -> dict[str, str]:
    """Installed versions of `distribution` and of everything that it names, extras included."""
    required = importlib.metadata.requires(distribution) or []
    names = {match[0] for each in required if (match := _NAME.match(each))} | {distribution}
    return {name: found for name in sorted(names, key=str.lower) if (found := _version(name))}


def masked(settings: Settings) -> dict[str, Any]:
    """The settings as JSON values; a secret says only that it is set, a user's folder nothing."""
    plain = settings.model_dump(mode="json")
    for name in plain:
        value = getattr(settings, name)
        if isinstance(value, SecretStr):
            plain[name] = HIDDEN
        elif isinstance(value, Path):
            plain[name] = value.name
    return plain


def timestamp(moment: datetime) -> str:
    """ISO 8601 to the second, in UTC."""
    return moment.isoformat(timespec="seconds")


def _version(name: str) -> str | None:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return None


def _git(folder: Path, *arguments: str) -> str | None:
    command: Sequence[str] = ("git", "-C", str(folder), *arguments)
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return None
    return done.stdout.strip() if done.returncode == 0 else None
