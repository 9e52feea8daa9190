"""`python -m evals run`: store the notes, run the notebooks, write the report."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import msgspec

from evals.classes.questions import FILE as LABELLED
from evals.datasets.corpus import held_open
from evals.project import GOLDEN, ROOT, project_settings
from evals.report.changes import changes_since_last
from evals.report.page import write_report
from evals.report.verdict import overall_verdict
from evals.results.machine import machine
from evals.results.notebook_run import NotebookRun
from evals.results.recommendation import Origin, why_withheld, write_recommended
from evals.run import manifest as manifests
from evals.run.finished import Finished, file_digest
from evals.run.notebook_pages import write_notebook_pages
from evals.run.notebooks import Notebook, Value, check_known, discover, values_for
from evals.run.profiles import PROFILES, cell_timeout_s, profile_of, takes_part
from evals.run.runner import importing_this_checkout, run_notebook
from evals.run.schedule import Turn, run_scheduled
from evals.run.store import Store, fill
from evals.run.terminal import terminal_table
from rag_core.cli import NOTEBOOK_PROGRESS, entered, progress_bar
from rag_core.errors import InvalidInput
from rag_core.settings import Settings

REQUIRED = ("profile", "out_path")
_COLD = "cold: empty at the start of every notebook"
# The kernel's debugger complains of frozen modules; nobody debugs here.
_QUIET = {"PYDEVD_DISABLE_FILE_VALIDATION": "1", "RAGAS_DO_NOT_TRACK": "true"}
# Long cells say on our stderr how far they are.
_TELLING = {NOTEBOOK_PROGRESS: "1"}


@dataclass(frozen=True)
class RunOptions:
    """What was asked for on the command line."""

    profile: str
    notebooks: Path
    reports: Path
    only: str | None = None
    parameters: Mapping[str, Value] = field(default_factory=dict)
    golden: Path = GOLDEN
    again: bool = False
    """Whether to measure anew what has not changed, as for repeats."""

    @property
    def seed(self) -> int:
        """The notebooks' parameter `seed`; 0 unless it was given."""
        seed = self.parameters.get("seed", 0)
        return seed if isinstance(seed, int) else 0


def evaluate(options: RunOptions) -> int:
    """Run everything; returns the exit code: the worst of the notebooks'.

    Raises:
        InvalidInput: a notebook or a parameter does not exist.
        Unavailable: a server cannot be reached.
    """
    if options.profile not in PROFILES:
        raise InvalidInput("--profile", f"must be one of {', '.join(PROFILES)}")
    found = discover(options.notebooks, options.only)
    profile, golden = options.profile, options.golden
    notebooks = [each for each in found if options.only or takes_part(each.name, profile, golden)]
    check_known(options.parameters, notebooks)
    offered: dict[str, Value] = {**options.parameters, "golden": str(golden)}
    values = {
        each.name: values_for(
            each, {**offered, "profile": profile_of(each.name, profile)}, REQUIRED
        )
        for each in notebooks
    }
    return asyncio.run(_evaluate(options, notebooks, values))


async def _evaluate(
    options: RunOptions, notebooks: Sequence[Notebook], values: Mapping[str, Mapping[str, Value]]
) -> int:
    os.environ.update(_QUIET | _TELLING)
    started, began = datetime.now(UTC), time.perf_counter()
    revision = manifests.revision(ROOT)
    settings = project_settings()
    # Held open while the notebooks run, so that each of them finds the servers up.
    async with entered(held_open(settings), "starting the database") as ready:
        store = await fill(ready, options.golden, options.profile, list(values))
        folder = _new_folder(options.reports, started, revision)
        finished = _finished(options, settings, store, values)
        timeout_s = cell_timeout_s(options.profile)
        runs = await _run_all(notebooks, values, folder, finished, timeout_s)
    await asyncio.to_thread(write_notebook_pages, runs)
    manifest = manifests.Manifest(
        revision=revision,
        code="this checkout",  # anything else was refused, or is a notebook's problem
        profile=options.profile,
        seed=options.seed,
        started=manifests.timestamp(started),
        finished=manifests.timestamp(datetime.now(UTC)),
        seconds=round(time.perf_counter() - began, 1),
        machine=machine(),
        dataset=store.dataset,
        models={**store.models, **_generator(runs, settings)},
        cache={"notes": store.ingested.state, "answer cache": _COLD},
        settings=manifests.masked(settings),
        packages=manifests.packages(),
        notebooks={run.name: _of_run(run, values[run.name]) for run in runs},
    ).as_dict()
    _write_json(folder / "manifest.json", manifest)
    _write_json(folder / "summary.json", summary(runs, options.profile))
    origin = Origin(
        run=folder.name,
        commit=f"{revision.commit or 'none'}{' with uncommitted changes' * bool(revision.dirty)}",
        date=manifests.timestamp(started),
        pipeline=store.models["pipeline digest"],
    )
    recommended = _recommend(runs, origin, folder)
    changes = await asyncio.to_thread(changes_since_last, folder)
    page = write_report(runs, manifest, folder, commit=revision.short, changes=changes)
    print(terminal_table(runs))
    print(f"\n{recommended}\n{overall_verdict(runs).line}\nopen {page}")
    return max((run.exit_code for run in runs), default=0)


def _recommend(runs: Sequence[NotebookRun], origin: Origin, folder: Path) -> str:
    """Write the settings that the notebooks recommend, and say where, or why not."""
    offered = {
        run.name: run.result.recommendation
        for run in runs
        if run.result and run.result.recommendation
    }
    path = write_recommended(offered, origin, folder)
    if path is None:
        return f"no settings are recommended: {why_withheld(offered)}"
    return f"recommended settings: {path}"


def _finished(
    options: RunOptions,
    settings: Settings,
    store: Store,
    values: Mapping[str, Mapping[str, Value]],
) -> Finished:
    depends = {
        "notebooks": sorted(values),  # 04_cost reads what 03_cache leaves
        "dataset": dict(store.dataset),
        "models": dict(store.models),
        "settings": manifests.masked(settings),
        "packages": manifests.packages(),
        "machine": str(machine()),
        "asked": _asked(settings),
        "trace": file_digest(str(options.parameters.get("trace", ""))),
        **{name: file_digest(str(file)) for name, file in _of_classes(options, settings).items()},
    }
    return Finished(settings.home / "finished", depends, again=options.again)


def _asked(settings: Settings) -> dict[str, str]:
    """The URLs of the providers, which a manifest hides; no more than their digest is kept."""
    urls = {name: own.base_url for name, own in settings.provider.items()}
    known = {"huggingface": settings.hf_base_url, **urls}
    return {name: url.get_secret_value() for name, url in sorted(known.items()) if url}


def _of_classes(options: RunOptions, settings: Settings) -> dict[str, Path]:
    """What the quality notebook reads of classes, beside the golden data and the settings."""
    labelled = options.golden / LABELLED
    evidence = settings.class_evidence
    named = {"labelled questions": labelled if labelled.is_file() else None, "evidence": evidence}
    return {name: file for name, file in named.items() if file}


async def _run_all(
    notebooks: Sequence[Notebook],
    values: Mapping[str, Mapping[str, Value]],
    folder: Path,
    finished: Finished,
    timeout_s: float,
) -> list[NotebookRun]:
    finished.begin()
    loop = asyncio.get_running_loop()
    run_one = partial(_run_or_take, folder=folder, finished=finished, timeout_s=timeout_s)
    with progress_bar(len(notebooks), "notebooks", "notebook") as bar, importing_this_checkout():

        async def run(notebook: Notebook, turn: Turn) -> NotebookRun:
            def share() -> float:
                return asyncio.run_coroutine_threadsafe(turn.share(), loop).result()

            given = values[notebook.name]
            done = await asyncio.to_thread(run_one, notebook, given, share)
            bar.update()
            return done

        # A thread for each notebook: some wait in theirs while others have the machine.
        loop.set_default_executor(ThreadPoolExecutor(len(notebooks)))
        runs = await run_scheduled(notebooks, run)
    finished.end()
    return runs


def _run_or_take(
    notebook: Notebook,
    values: Mapping[str, Value],
    share: Callable[[], float],
    *,
    folder: Path,
    finished: Finished,
    timeout_s: float,
) -> NotebookRun:
    if kept := finished.take(notebook, values, folder):
        print(f"{kept.name}: as of {kept.kept_from}, nothing has changed; --again measures anew")
        return kept
    done = run_notebook(notebook, values, folder, cell_timeout_s=timeout_s, share=share)
    finished.keep(done, notebook, values)
    return done


def _generator(runs: Sequence[NotebookRun], settings: Settings) -> dict[str, str]:
    """Who wrote the answers, as the answers themselves say; else what the settings name."""
    for run in runs:
        if run.result and "generator" in run.result.facts:
            return {"generator": run.result.facts["generator"]}
    return {"generator": f"{settings.generator} (no answer was asked for)"}


def summary(runs: Sequence[NotebookRun], profile: str) -> dict[str, Any]:
    """Every result, for programs; what failed is there with its problem."""
    return {
        "profile": profile,
        "verdict": overall_verdict(runs).line,
        "exit_code": max((run.exit_code for run in runs), default=0),
        "notebooks": {
            run.name: {
                "seconds": round(run.seconds, 1),
                "problem": run.problem,
                "exit_code": run.exit_code,
                "result": msgspec.to_builtins(run.result) if run.result else None,
            }
            for run in runs
        },
    }


def _new_folder(reports: Path, started: datetime, revision: manifests.Revision) -> Path:
    name = f"{started:%Y%m%dT%H%M%SZ}-{revision.short}"
    folder = reports / name
    for number in range(2, 100):
        if not folder.exists():
            break
        folder = reports / f"{name}-{number}"
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise InvalidInput("--out", f"{folder} cannot be made: {error.strerror}") from error
    return folder


def _of_run(run: NotebookRun, values: Mapping[str, Value]) -> dict[str, Any]:
    return {
        "parameters": dict(values),
        "seconds": round(run.seconds, 1),
        "problem": run.problem,
        "kept from": run.kept_from,
        "facts": dict(run.result.facts) if run.result else {},
    }


def _write_json(path: Path, value: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(value, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
