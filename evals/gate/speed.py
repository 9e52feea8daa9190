"""Speed: base and candidate timed in turn on one machine, by where an answer comes from."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np

from evals.gate.finding import Finding, Status
from evals.gate.policy import Policy, SpeedRule
from evals.gate.recording import Recording, Unusable
from evals.results.numbers import share
from evals.stats.drop import median_bounds
from evals.stats.intervals import Floats

PROBE = "probe.json"


class Timed(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Milliseconds of the same calls: block by block, base and candidate in turn."""

    base: Sequence[Sequence[float]]
    """In milliseconds."""
    candidate: Sequence[Sequence[float]]
    """In milliseconds."""


class Probe(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What `evals probe` timed, of which commits, on which machine."""

    base: str
    candidate: str
    machine: str
    sources: dict[str, Timed]


def read_probe(folder: Path) -> Probe | None:
    """The probe in a folder of the candidate; None where there is none.

    Raises:
        Unusable: it cannot be read.
    """
    path = folder / PROBE
    if not path.is_file():
        return None
    try:
        return msgspec.json.decode(path.read_bytes(), type=Probe)
    except msgspec.DecodeError as error:
        raise Unusable(str(path), f"is no probe: {error}", "Run evals probe again") from error


def speed_findings(probe: Probe | None, candidate: Recording, policy: Policy) -> list[Finding]:
    """A finding for each source that the policy names."""
    if probe is None:
        problem = "was not timed: run python -m evals probe, or say --without speed."
    elif probe.machine != candidate.machine:
        problem = f"was timed on another machine: {probe.machine}, not {candidate.machine}."
    elif probe.candidate != candidate.commit:
        problem = f"was timed of other code: {probe.candidate}, not {candidate.commit}."
    else:
        return [_finding(rule, probe.sources.get(rule.source), policy) for rule in policy.speed]
    return [_said(rule, Status.INVALID, problem) for rule in policy.speed]


def ratios(timed: Timed) -> Floats:
    """Candidate's median time over the base's, a number a pair of blocks; float64[blocks]."""
    pairs = zip(timed.base, timed.candidate, strict=True)
    return np.array([float(np.median(after) / np.median(before)) for before, after in pairs])


def _finding(rule: SpeedRule, timed: Timed | None, policy: Policy) -> Finding:
    if timed is None or not all(map(len, (*timed.base, *timed.candidate))):
        return _said(rule, Status.INVALID, "was not timed.")
    if len(timed.base) != len(timed.candidate) or len(timed.base) < policy.blocks:
        pairs = min(len(timed.base), len(timed.candidate))
        return _said(rule, Status.INVALID, f"{pairs} pairs of blocks, {policy.blocks} are needed.")
    found = ratios(timed)
    slower = float(np.median(found)) - 1
    low, high = (bound - 1 for bound in median_bounds(found))
    return _decided(rule, timed, (slower, low, high))


def _decided(rule: SpeedRule, timed: Timed, slower: tuple[float, float, float]) -> Finding:
    middle, low, high = slower
    if middle > rule.margin and low > rule.margin:
        said = f"slower by {share(middle)}, {share(low)} at least; {share(rule.margin)} is allowed."
        return _said(rule, Status.REGRESSION, said, timed, slower)
    if high < rule.detect:
        how = "slower" if middle > 0 else "faster"
        said = f"{how} by {share(abs(middle))}; {share(rule.detect)} slower is ruled out."
        return _said(rule, Status.PASS, said, timed, slower)
    said = f"too noisy to tell: {share(rule.detect)} slower is not ruled out. Time more blocks."
    return _said(rule, Status.INCONCLUSIVE, said, timed, slower)


def _said(
    rule: SpeedRule,
    status: Status,
    sentence: str,
    timed: Timed | None = None,
    slower: tuple[float, float, float] | None = None,
) -> Finding:
    before = _median(timed.base) if timed else None
    after = _median(timed.candidate) if timed else None
    times = [before * each if before and math.isfinite(each) else None for each in slower or ()]
    difference, low, high = times or (None, None, None)
    return Finding(
        part="speed",
        name=rule.source,
        status=status,
        sentence=sentence,
        unit="ms",
        before=before,
        after=after,
        difference=difference,
        low=low,
        high=high,
        n=len(timed.base) if timed else 0,
        why=rule.why,
    )


def _median(blocks: Sequence[Sequence[float]]) -> float:
    return float(np.median(np.concatenate([np.asarray(block) for block in blocks])))
