"""Virtual environments of their own, for what must not be installed beside the project."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from evals.project import ROOT
from rag_core.errors import ConfigurationError

ENVIRONMENTS = ROOT / ".venvs"
_UV = [sys.executable, str(ROOT / ".ci/uv.py")]


def made(name: str, packages: Sequence[str], *, anew: bool = False) -> Path:
    """The Python of `.venvs/NAME` with these packages, which is made if it is not there.

    Args:
        anew: make it in any case.

    Raises:
        ConfigurationError: it cannot be made.
    """
    folder = ENVIRONMENTS / name
    python, done = folder / "bin" / "python", folder / ".made"
    if anew or not done.exists() or done.read_text() != "\n".join(packages):
        print(f"making {folder} with {packages[-1]} …", file=sys.stderr)
        _run("venv", "--clear", "--quiet", "--python", sys.executable, str(folder))
        _run("pip", "install", "--quiet", "--python", str(python), *packages)
        done.write_text("\n".join(packages))
    return python


def site_packages(python: Path) -> Path:
    """Where that Python's packages lie."""
    code = "import sysconfig; print(sysconfig.get_path('purelib'))"
    done = subprocess.run([python, "-c", code], capture_output=True, text=True, check=True)
    return Path(done.stdout.strip())


def size_bytes(folder: Path) -> int:
    """Bytes of all files below a folder, bytecode left out: it is made when it is imported."""
    files = (path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc")
    return sum(path.lstat().st_size for path in files)


def _run(*arguments: str) -> None:
    done = subprocess.run([*_UV, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ConfigurationError(
            "uv " + " ".join(arguments[:2]), done.stderr.strip()[-500:], "Is the index reachable?"
        )
