"""Prometheus and promtool, which the tests of rules and dashboards ask.

    python .ci/prometheus.py

This machine's own where it has them; else Debian's package (or Ubuntu's), fetched by apt from where
apt is told to and checked by its signature. Nothing is installed and nobody need be root: the two
programs are put beside this Python, below its `sys.prefix`. Where there is no apt, or it reaches
nothing, this says so and is content: those tests are skipped, and say so, too.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import debian

PROGRAMS = ("prometheus", "promtool")
FOLDER = Path(sys.prefix) / "prometheus"


def missing() -> list[str]:
    return [name for name in PROGRAMS if not (shutil.which(name) or (FOLDER / name).is_file())]


def fetch(work: Path) -> None:
    """Unpack the two programs; apt keeps all that it writes below `work`."""
    debian.unpack("prometheus", work / "root", work / "apt")
    FOLDER.mkdir(exist_ok=True)
    for name in PROGRAMS:
        shutil.move(work / "root/usr/bin" / name, FOLDER / name)


def main() -> int:
    if not missing():
        return 0
    if not debian.there():
        print("there is no Prometheus here, and no apt to fetch it: tests that ask it are skipped")
        return 0
    with tempfile.TemporaryDirectory(prefix="prometheus-") as work:
        try:
            fetch(Path(work))
        except subprocess.CalledProcessError as error:
            print(f"Prometheus could not be fetched: {error}; tests that ask it are skipped")
            return 0
    print(f"Prometheus is in {FOLDER}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
