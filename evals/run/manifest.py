"""The manifest: everything needed to say what a run measured, and to repeat it."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from pydantic import SecretStr

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


@dataclass(frozen=True, slots=True)
class Machine:
    """What it ran on."""

    cpu: str
    cores: int
    memory_gb: float | None
    system: str
    python: str


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


def machine() -> Machine:
    """This machine; memory is None where the system does not say."""
    return Machine(
        cpu=_cpu_model(),
        cores=len(os.sched_getaffinity(0))
        if hasattr(os, "sched_getaffinity")
        else os.cpu_count() or 1,
        memory_gb=_memory_gb(),
        system=platform.platform(),
        python=sys.version.split()[0],
    )


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


def _cpu_model() -> str:
    info = Path("/proc/cpuinfo")
    if info.is_file():
        found = re.search(r"^model name\s*:\s*(.+)$", info.read_text(), re.MULTILINE)
        if found:
            return found[1].strip()
    return platform.processor() or platform.machine()


def _memory_gb() -> float | None:
    try:
        size_bytes = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return None
    return round(size_bytes / 2**30, 1)
