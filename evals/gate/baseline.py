"""The committed baseline: a run's recording, cut to what gates, with its manifest."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from evals.gate.policy import Policy
from evals.gate.recording import Recording, Suite, Unusable
from evals.gate.runs import BASELINE, MANIFEST, SUMMARY

DIGITS = 6
"""Decimals of a score that are kept: more are a machine's, not the code's."""

_KEPT = ("revision", "profile", "seed", "started", "machine", "dataset", "models", "packages")
"""Of a run's manifest."""


def write_baseline(candidate: Recording, source: Path, folder: Path, policy: Policy) -> Path:
    """Write the recording and its manifest to `folder`, for a person to review and commit.

    Raises:
        Unusable: the candidate is of code that is not committed, or lacks a notebook.
    """
    if not candidate.commit.isalnum() or candidate.commit == "none":
        raise Unusable(candidate.name, "is of uncommitted code", "Commit, run again, then update")
    for name in policy.notebooks:
        if name not in candidate.notebooks or candidate.notebooks[name].problem:
            raise Unusable(candidate.name, f"has no result of {name}", "Run all notebooks")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / BASELINE
    text = msgspec.json.encode(trimmed(candidate, policy)).decode()
    path.write_text(_lines(text), encoding="utf-8")
    manifest = json.dumps(_manifest(source), indent=2, ensure_ascii=False)
    (folder / MANIFEST).write_text(manifest + "\n", encoding="utf-8")
    return path


def trimmed(recording: Recording, policy: Policy) -> Recording:
    """The recording with nothing in it but what the policy gates."""
    suites = {}
    for name in {rule.suite: None for rule in policy.quality}:
        if suite := recording.suites.get(name):
            gated = {rule.measure for rule in policy.quality if rule.suite == name}
            suites[name] = _trimmed(suite, gated)
    amounts = {rule.amount for rule in policy.cost}
    return msgspec.structs.replace(
        recording,
        suites=suites,
        amounts={name: value for name, value in recording.amounts.items() if name in amounts},
    )


def _trimmed(suite: Suite, measures: set[str]) -> Suite:
    scores = {
        measure: {
            question: [None if value is None else round(value, DIGITS) for value in values]
            for question, values in rows.items()
        }
        for measure, rows in suite.scores.items()
        if measure in measures
    }
    groups = {question: group for question, group in suite.groups.items() if group}
    return msgspec.structs.replace(suite, scores=scores, groups=groups)


def _manifest(source: Path) -> Mapping[str, Any]:
    """Of the run in `source` with the most notebooks; what names no secret and no folder."""
    runs = [source, *sorted(path.parent for path in source.glob(f"*/{SUMMARY}"))]
    files = [run / MANIFEST for run in runs if (run / MANIFEST).is_file()]
    manifests = [json.loads(path.read_text(encoding="utf-8")) for path in files]
    manifest = max(manifests, key=lambda each: len(each.get("notebooks", ())))
    return {name: manifest[name] for name in _KEPT if name in manifest}


def _lines(text: str) -> str:
    """A line a question, so that a review sees what changed."""
    return (
        json.dumps(json.loads(text), indent=0, ensure_ascii=False)
        .replace("[\n", "[")
        .replace("\n]", "]")
        + "\n"
    )
