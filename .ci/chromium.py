"""Chromium, in which the tests of the page open it.

    python .ci/chromium.py

This machine's own where it has one, or RAG_TEST_CHROMIUM names it; else Debian's package with what
it needs, fetched by apt and put beside this Python, below its `sys.prefix`. Nothing is installed
and nobody need be root. Exit code 1: there is none to be had; no test is skipped for it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import debian

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
FOLDER = Path(sys.prefix) / "chromium"
STARTER = FOLDER / "chromium"
ADVICE = (
    "the tests of the page need Chromium, and none is here: install it (on Debian: apt-get install "
    "chromium), or name the program in RAG_TEST_CHROMIUM"
)


def found() -> str | None:
    """The program, if there is one that starts."""
    named = (os.environ.get("RAG_TEST_CHROMIUM"), *map(shutil.which, NAMES), str(STARTER))
    return next((each for each in named if each and starts(each)), None)


def starts(program: str) -> bool:
    try:
        return subprocess.run([program, "--version"], capture_output=True).returncode == 0
    except OSError:
        return False


def fetch(work: Path) -> None:
    shutil.rmtree(FOLDER, ignore_errors=True)
    debian.unpack("chromium", FOLDER, work, with_dependencies=True)
    folders = sorted({str(each.parent) for each in FOLDER.rglob("*.so*") if "usr/lib" in str(each)})
    STARTER.write_text(
        "#!/bin/sh\n"
        f'LD_LIBRARY_PATH="{":".join(folders)}" exec "{FOLDER}/usr/lib/chromium/chromium" "$@"\n'
    )
    STARTER.chmod(0o755)


def main() -> int:
    if found():
        return 0
    if debian.there():
        with tempfile.TemporaryDirectory(prefix="chromium-") as work:
            try:
                fetch(Path(work))
            except subprocess.CalledProcessError as error:
                print(f"Chromium could not be fetched: {error}", file=sys.stderr)
    if not found():
        print(f"error: {ADVICE}", file=sys.stderr)
        return 1
    print(f"Chromium is in {FOLDER}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
