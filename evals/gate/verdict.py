"""The verdict: whether two recordings can be compared, and what the comparison comes to."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from pathlib import Path

from evals.gate.cost import cost_findings
from evals.gate.finding import Finding, Judgement, Part, Status
from evals.gate.flips import flips
from evals.gate.policy import Policy
from evals.gate.quality import quality_findings, same
from evals.gate.recording import Outcome, Recording, Unusable
from evals.gate.runs import read_recording
from evals.gate.speed import Probe, read_probe, speed_findings
from evals.results.numbers import share


def judge_folders(
    baseline: Path, candidate: Path, policy: Policy, *, without: Collection[str] = (), seed: int = 0
) -> Judgement:
    """Judge what lies in two folders; one that holds nothing usable is INVALID.

    Raises:
        InvalidInput: there is no such folder.
    """
    try:
        before, after = read_recording(baseline), read_recording(candidate)
        probe = read_probe(candidate)
    except Unusable as error:
        found = Finding(part="run", name="runs", status=Status.INVALID, sentence=f"{error}.")
        return Judgement(baseline=baseline.name, candidate=candidate.name, findings=[found])
    return judge(before, after, policy, probe, without=without, seed=seed)


def judge(
    baseline: Recording,
    candidate: Recording,
    policy: Policy,
    probe: Probe | None = None,
    *,
    without: Collection[str] = (),
    seed: int = 0,
) -> Judgement:
    """Every finding on the candidate; `without` names parts that are left out, and shown so."""
    findings = [*_of_runs(baseline, candidate, policy)]
    findings += quality_findings(baseline, candidate, policy, seed=seed)
    if "cost" in without:
        findings += [_left_out("cost and caches", rule.amount) for rule in policy.cost]
    else:
        findings += cost_findings(baseline, candidate, policy)
    if "speed" in without:
        findings += [_left_out("speed", rule.source) for rule in policy.speed]
    else:
        findings += speed_findings(probe, candidate, policy)
    return Judgement(
        baseline=f"{baseline.name} ({baseline.commit[:8]})",
        candidate=f"{candidate.name} ({candidate.commit[:8]})",
        findings=findings,
        flips=flips(baseline, candidate, policy),
        facts=_facts(baseline, candidate, probe),
    )


def _left_out(part: Part, name: str) -> Finding:
    sentence = "was left out on the command line."
    return Finding(part=part, name=name, status=Status.NOT_GATED, sentence=sentence)


def _facts(baseline: Recording, candidate: Recording, probe: Probe | None) -> dict[str, str]:
    facts = {
        "baseline": f"{baseline.name}, {baseline.commit}, on {baseline.machine}",
        "candidate": f"{candidate.name}, {candidate.commit}, on {candidate.machine}",
        "judge": candidate.judge,
    }
    if probe:
        facts["timed"] = f"{probe.base} and {probe.candidate} in turn, on {probe.machine}"
    return facts


def _of_runs(baseline: Recording, candidate: Recording, policy: Policy) -> Iterator[Finding]:
    """What keeps the two from being compared, and which questions are."""
    for name, run in (("baseline", baseline), ("candidate", candidate)):
        yield from _notebooks(name, run, policy)
    if baseline.judge != candidate.judge:
        sentence = f"another judge: {baseline.judge or 'none'}, now {candidate.judge or 'none'}."
        yield _run("judge", Status.INVALID, sentence)
    for suite in sorted({rule.suite for rule in policy.quality} & baseline.suites.keys()):
        if suite in candidate.suites:
            yield _data(suite, baseline, candidate, policy)


def _notebooks(name: str, run: Recording, policy: Policy) -> Iterator[Finding]:
    for notebook in policy.notebooks:
        said = run.notebooks.get(notebook, Outcome(problem="did not run", exit_code=3))
        if said.problem:
            failed = Status.INFRASTRUCTURE if said.exit_code == 4 else Status.INVALID
            yield _run(f"{notebook}, {name}", failed, f"{said.problem}.")


def _data(suite: str, baseline: Recording, candidate: Recording, policy: Policy) -> Finding:
    before, after = baseline.suites[suite], candidate.suites[suite]
    kept = sum(same(question, before, after) for question in before.hashes)
    edited = sum(q in after.hashes for q in before.hashes) - kept
    gone, new = len(before.hashes) - kept - edited, len(after.hashes.keys() - before.hashes.keys())
    sentence = (
        f"{kept} of {len(before.hashes)} questions are compared; "
        f"{edited} were edited, {gone} taken out and {new} added since."
    )
    least = policy.compared * len(before.hashes)
    if not kept or kept < least:
        sentence += f" {share(policy.compared)} must be the same: write a new baseline."
        return _run(f"data of {suite}", Status.INVALID, sentence)
    return _run(f"data of {suite}", Status.PASS, sentence)


def _run(name: str, status: Status, sentence: str) -> Finding:
    return Finding(part="run", name=name, status=status, sentence=sentence)
