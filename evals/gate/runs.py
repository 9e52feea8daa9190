"""Recordings from folders: of a run, of several runs, or of a committed baseline."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from evals.gate.recording import (
    MeasureCard,
    Outcome,
    Recording,
    Said,
    Suite,
    Unusable,
    merged,
)
from rag_core.errors import InvalidInput

BASELINE = "recording.json"
SUMMARY, MANIFEST = "summary.json", "manifest.json"
QUALITY, RETRIEVAL, VALIDITY = "01_quality", "02_retrieval", "07_validity"
GOLDEN = "golden"
"""The suite of the golden questions; a collection's is named after it and its method."""


def read_recording(folder: Path) -> Recording:
    """The recording of a baseline, of a run, or of a folder of runs, which are its repeats.

    Raises:
        InvalidInput: there is no such folder.
        Unusable: it holds no run, or one that cannot be read.
    """
    if not folder.is_dir():
        raise InvalidInput(str(folder), "is no folder", "Name a folder that evals run wrote")
    if (folder / BASELINE).is_file():
        return _decoded(folder / BASELINE)
    if (folder / SUMMARY).is_file():
        return _of_run(folder)
    runs = sorted(path.parent for path in folder.glob(f"*/{SUMMARY}"))
    if not runs:
        raise Unusable(
            str(folder), "holds no run", f"{SUMMARY} is written when a run is through: repeat it"
        )
    return merged([_of_run(run) for run in runs])


def _decoded(path: Path) -> Recording:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Recording)
    except msgspec.DecodeError as error:
        raise Unusable(str(path), f"is no recording: {error}", "Write it anew") from error


def _of_run(folder: Path) -> Recording:
    summary, manifest = _json(folder / SUMMARY), _json(folder / MANIFEST)
    try:
        return _recorded(folder.name, summary["notebooks"], manifest)
    except (KeyError, TypeError, AttributeError) as error:
        raise Unusable(
            str(folder), f"is no run that this gate can read: {error!r}", "Run it again"
        ) from error


def _recorded(name: str, notebooks: Mapping[str, Any], manifest: Mapping[str, Any]) -> Recording:
    results = {each: said["result"] for each, said in notebooks.items() if said["result"]}
    data = {each: result["data"] for each, result in results.items()}
    facts = results.get(QUALITY, {}).get("facts", {})
    return Recording(
        name=name,
        commit=_commit(manifest["revision"]),
        golden=manifest["dataset"]["golden"],
        judge=", ".join(facts[each] for each in ("support checker", "judge") if each in facts),
        machine=_machine(manifest["machine"]),
        notebooks={
            each: Outcome(problem=said["problem"], exit_code=said["exit_code"])
            for each, said in notebooks.items()
        },
        suites={**_golden(data.get(QUALITY)), **_collections(data.get(RETRIEVAL))},
        answers=_answers(data.get(QUALITY)),
        amounts={k: v for each in data.values() for k, v in each.get("amounts", {}).items()},
        cards=_cards(data.get(VALIDITY)),
    )


def _commit(revision: Mapping[str, Any]) -> str:
    return (revision["commit"] or "none") + (" and changes" if revision["dirty"] else "")


def _machine(machine: Mapping[str, Any]) -> str:
    return f"{machine['cpu']}, {machine['cores']} cores, {machine['memory_gb']:g} GB"


def _golden(data: Mapping[str, Any] | None) -> dict[str, Suite]:
    if data is None:
        return {}
    rows = data["summary"]["rows"]
    scores = {
        measure: {question: [score.get("value")] for question, score in of_measure.items()}
        for measure, of_measure in rows.items()
    }
    groups = {question: said["group"] for question, said in data["answers"].items()}
    return {GOLDEN: Suite(hashes=data["hashes"], scores=scores, groups=groups)}


def _collections(data: Mapping[str, Any] | None) -> dict[str, Suite]:
    if data is None:
        return {}
    return {
        f"{name}, {method}": Suite(
            hashes=data["hashes"][name],
            scores={
                measure: {query: [value] for query, value in rows.items()}
                for measure, rows in measures.items()
            },
        )
        for name, methods in data["collections"].items()
        for method, measures in methods.items()
    }


def _answers(data: Mapping[str, Any] | None) -> dict[str, Said]:
    return {
        question: Said(question=said["question"], text=said["text"])
        for question, said in (data["answers"] if data else {}).items()
    }


def _cards(data: Mapping[str, Any] | None) -> dict[str, MeasureCard]:
    return {
        measure: MeasureCard(noticed=card["noticed"], rejected=card["rejected"])
        for measure, card in (data["measures"] if data else {}).items()
    }


def _json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise Unusable(str(path), f"cannot be read: {error.strerror}", "Run it again") from error
    except ValueError as error:
        raise Unusable(str(path), f"is no JSON: {error}", "Run it again") from error
