"""Real runs of planted candidates, and what the real gate says of them."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
import signal
import sys
from asyncio.subprocess import STDOUT, Process
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from evals.bench.planted_checkout import Checkout, copied
from evals.bench.planted_faults import FAULTS
from evals.gate.runs import SUMMARY
from evals.gate.speed import PROBE
from evals.project import ROOT, project_settings
from rag_core.cli import progress_bar
from rag_core.errors import Unavailable

_SMOKE = ("--profile", "smoke")
NOTEBOOKS: Mapping[str, Sequence[str]] = {
    "02_retrieval": ("--profile", "full", "--parameter", "by_mode=False"),
    "01_quality": _SMOKE,
    "03_cache": _SMOKE,
    "04_cost": _SMOKE,
    "07_validity": ("--profile", "full"),
}
"""What `make gate` measures, with its options; here each is a run of its own, so that those which
a change does not reach need not be made again."""
_READ = {"quality_result": "01_quality", "cache_result": "03_cache"}
"""By parameter of 04_cost: whose result it reads, beside its own where all are one run."""

_POLL_S = 0.1

_BLAMED = re.compile(r"^- \*\*(\w+)\*\* ([^:]+):", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Seen:
    """What the gate said: its exit code, its summary's first line, and who was to blame."""

    code: int
    line: str
    blamed: Sequence[str]
    """Names of the figures that are as grave as the verdict."""

    @property
    def verdict(self) -> str:
        """The first word of the line."""
        return self.line.partition(" ")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What is otherwise in a candidate: a fault, settings, golden data, or where its notes are."""

    fault: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)
    golden: Path | None = None
    home: Path | None = None
    again: bool = True
    """Whether what was measured before is measured anew: a sleeping fault changes no code."""


@dataclass(frozen=True)
class Workshop:
    """Where candidates are made; runs stay there, for a person to look at."""

    folder: Path
    root: Path = ROOT
    _bases: set[Path] = field(default_factory=set)
    _copies: dict[str, Checkout] = field(default_factory=dict)

    @property
    def home(self) -> Path:
        """That of the environment: notes that are stored there are not embedded again."""
        return project_settings().home

    def new_home(self, name: str) -> Path:
        """A home with a database of its own, and the vectors and models that are there."""
        home = self.folder / "homes" / name
        home.mkdir(parents=True, exist_ok=True)
        for each in ("vectors", "models"):
            (self.home / each).mkdir(parents=True, exist_ok=True)
            if not (home / each).exists():
                (home / each).symlink_to((self.home / each).resolve())
        return home

    def checkout(self, fault: str = "") -> Checkout:
        """A copy of the checkout with that fault awake."""
        made = self._copy(fault or "as-it-is")
        made.wake(fault)
        return made

    def _copy(self, name: str) -> Checkout:
        """Made once: a process that runs it must not see it change."""
        if name not in self._copies:
            self._copies[name] = copied(self.folder / "checkouts" / name, FAULTS, self.root)
        return self._copies[name]

    async def base(self, name: str = "base", change: Change | None = None) -> Path:
        """Runs to compare with, made once: this checkout as it is, or with a `change`."""
        runs = self.folder / "runs" / name
        if runs not in self._bases:
            await self.measure(self.new_runs(name), NOTEBOOKS, change or Change(again=False))
            self._bases.add(runs)
        return runs

    async def candidate(
        self, runs: Path, base: Path, anew: Collection[str], change: Change
    ) -> None:
        """Runs `anew` of what a change reaches, and copies of the base's others."""
        for name in NOTEBOOKS.keys() - set(anew):
            took = found(base, name).parent
            shutil.copytree(took, runs / took.name)
        await self.measure(runs, anew, change)

    def new_runs(self, name: str) -> Path:
        """An empty folder for runs."""
        runs = self.folder / "runs" / name
        shutil.rmtree(runs, ignore_errors=True)
        runs.mkdir(parents=True)
        return runs

    async def measure(self, runs: Path, names: Collection[str], change: Change) -> None:
        """Run notebooks of a checkout, one after the other.

        Raises:
            Unavailable: one ended without a summary.
        """
        checkout = self.checkout(change.fault)
        for name in (each for each in NOTEBOOKS if each in names):
            options = [*NOTEBOOKS[name], *_options(name, runs, change)]
            before = _summaries(runs)
            said = await self.evals(
                checkout, f"{runs.name}: {name}", ("run", "--only", name[3:], *options), change.home
            )
            if _summaries(runs) == before:
                raise Unavailable(f"{name} of {runs.name} ended with {said}")

    async def probe(self, runs: Path, fault: str = "") -> None:
        """Time this checkout and one with a fault in turn.

        Raises:
            Unavailable: nothing was timed.
        """
        base, candidate = self.checkout(), self._copy("timed")
        candidate.wake(fault)
        command = ("probe", "--base", str(base.folder), "--out", str(runs))
        said = await self.evals(candidate, f"{runs.name}: probe", command)
        if not (runs / PROBE).is_file():
            raise Unavailable(f"the probe of {runs.name} ended with {said}")

    async def kill_one(self, runs: Path) -> None:
        """Begin a run, and kill it when its folder is there.

        Raises:
            Unavailable: it ended by itself.
        """
        command = ("run", "--only", "quality", "--again", "--out", str(runs))
        said = await self.evals(self.checkout(), f"{runs.name}: killed", command, until=runs)
        if _summaries(runs):
            raise Unavailable(f"the run to be killed ended with {said}")

    async def evals(
        self,
        checkout: Checkout,
        label: str,
        command: Sequence[str],
        home: Path | None = None,
        until: Path | None = None,
    ) -> str:
        """Run a command of a checkout; its exit code and last line, the whole is in a log.

        Where `until` is a folder, it is killed as soon as something lies there.
        """
        clean = {name: value for name, value in os.environ.items() if not name.startswith("RAG_")}
        here = {"PYTHONPATH": str(checkout.folder), "RAG_HOME": str(home or self.home)}
        log = self.folder / f"{label.partition(':')[0]}.log"
        with progress_bar(None, label), log.open("ab") as out:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "evals", *command),
                cwd=checkout.folder,
                env=clean | here,
                stdout=out,
                stderr=STDOUT,
                start_new_session=True,
            )
            try:
                code = await _ended(process, until)
            finally:
                if process.returncode is None:
                    os.killpg(process.pid, signal.SIGTERM)
                    await process.wait()
        lines = log.read_text(encoding="utf-8", errors="replace").splitlines()
        return f"exit code {code}: {lines[-1] if lines else ''}"


async def _ended(process: Process, until: Path | None) -> int:
    """Its exit code, once it has ended or was killed."""
    while until and process.returncode is None:
        if any(await asyncio.to_thread(lambda: list(until.iterdir()))):
            os.killpg(process.pid, signal.SIGKILL)
            break
        await asyncio.sleep(_POLL_S)
    return await process.wait()


def found(runs: Path, name: str) -> Path:
    """The result of a notebook in a folder of runs.

    Raises:
        Unavailable: there is none.
    """
    for path in runs.glob(f"*/{name}.json"):
        return path
    raise Unavailable(f"{runs.name} has no result of {name}")


def _options(name: str, runs: Path, change: Change) -> list[str]:
    options = [f"--set={each}={value}" for each, value in change.settings.items()]
    if name == "04_cost":
        options += [f"--parameter={each}={found(runs, whose)}" for each, whose in _READ.items()]
    if change.golden:
        options += ["--golden", str(change.golden)]
    return [*options, *["--again"] * change.again, "--out", str(runs)]


def _summaries(runs: Path) -> int:
    return len(list(runs.glob(f"*/{SUMMARY}")))


async def judged(baseline: Path, candidate: Path, *options: str) -> Seen:
    """What `python -m evals gate` says; its page, summary and JUnit file lie in the candidate."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "evals", "gate"),
        *("--baseline", str(baseline), "--candidate", str(candidate), *options),
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=STDOUT,
    )
    said, _ = await process.communicate()
    code, summary = process.returncode or 0, candidate / "gate.md"
    if not summary.is_file():
        return Seen(code, said.decode().strip().rpartition("\n")[2], ())
    text = summary.read_text(encoding="utf-8")
    line = text.partition("\n")[0].removeprefix("## Gate: ")
    grave = line.partition(" ")[0]
    return Seen(code, line, [name for status, name in _BLAMED.findall(text) if status == grave])
