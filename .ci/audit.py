"""Asks a vulnerability service about everything that the images install, by pip-audit.

    python .ci/audit.py [--service pypi|osv]

Exit code 0: each pinned package was looked up, and nothing is known of it. 1: something is known.
2: some could not be looked up, so nothing is said of them (pip-audit itself exits 0 then).
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

LOCKS = sorted((Path(__file__).resolve().parent.parent / "deploy").glob("*.lock"))
PIP_AUDIT = Path(sys.executable).with_name("pip-audit")


@dataclass
class Audit:
    """What was found out about the packages of one lock."""

    looked_up: int = 0
    known: list[str] = field(default_factory=list)
    not_looked_up: list[str] = field(default_factory=list)
    error: str = ""


def audit(lock: Path, service: str) -> Audit:
    """Ask about one lock."""
    done = subprocess.run(
        [PIP_AUDIT, "--vulnerability-service", service, "--require-hashes", "--disable-pip",
         "--format", "json", "--progress-spinner", "off", "--requirement", lock],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    try:
        return read(json.loads(done.stdout))
    except ValueError:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        return Audit(error=last[:300])


def read(answer: dict[str, list[dict[str, object]]]) -> Audit:
    """pip-audit's JSON, with what it left out told from what is fine."""
    found = Audit()
    for each in answer["dependencies"]:
        if "skip_reason" in each:
            found.not_looked_up.append(str(each["name"]))
            continue
        found.looked_up += 1
        vulnerabilities = each["vulns"]
        assert isinstance(vulnerabilities, list)
        found.known += [
            f"{each['name']} {each['version']}: {v['id']}, mended in "
            + (", ".join(v["fix_versions"]) or "no version yet")
            for v in vulnerabilities
        ]
    return found


def tell(lock: Path, found: Audit) -> int:
    """Say it in lines; the exit code for this lock."""
    print(f"{lock.name}: {found.looked_up} looked up, {len(found.known)} known vulnerabilities")
    print("".join(f"  {line}\n" for line in found.known), end="")
    if found.error:
        print(f"error: {lock.name} was not audited: {found.error}", file=sys.stderr)
    if found.not_looked_up:
        count, some = len(found.not_looked_up), ", ".join(found.not_looked_up[:3])
        print(
            f"error: {lock.name}: the service said nothing of {count} packages ({some}, …): "
            "nothing is known of them. Is it reachable from here?",
            file=sys.stderr,
        )
    return 1 if found.known else 2 if found.error or found.not_looked_up else 0


def main() -> int:
    """Audit every lock; the worst exit code, a vulnerability being worse than ignorance."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--service", choices=["pypi", "osv"], default="pypi", help="who is asked")
    options = parser.parse_args()
    codes = {tell(lock, audit(lock, options.service)) for lock in LOCKS}
    return 1 if 1 in codes else max(codes)


if __name__ == "__main__":
    sys.exit(main())
