"""Runs the Dockerfile's own steps in a folder, and measures what the image would be made of.

    python .ci/image.py [--target app] [--into build/image]

For where no container engine runs. Every RUN, COPY, ENV and WORKDIR is read from deploy/Dockerfile,
so that it cannot drift: a stage is a folder, a path such as /opt/rag stands for the same path below
it, and its Python is a new virtual environment of the Python that FROM names. What only a root of
its own can do (apt-get) is left out, and named. The base image is not here: its size is the stated
one. Exit code 1: a step failed, or the sum of the parts is over the limit.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from dockerfile import Instruction, Stage, read_stages, wanted

ROOT = Path(__file__).resolve().parent.parent
DOCKERFILE = ROOT / "deploy" / "Dockerfile"
LIMIT_MB = 400
BASE_MB = 127.41
BASE = "python:3.12.14-slim-trixie, linux/amd64, September 2026, as docker-library/repo-info says"
NEEDS_A_ROOT = ("apt-get ", "useradd ")
PATHS = ("build", "load", "opt")
"""What an image has below / that is ours."""
MB = 1e6


class StepFailed(Exception):
    """A step of the Dockerfile failed."""


def make(stage: Stage, into: Path) -> None:
    """Run the steps of one stage; its folder is new."""
    root, base = into / stage.name, into / stage.base
    if base.is_dir():
        subprocess.run(["cp", "-al", base, root], check=True)  # links: nothing is written in place
    elif any(each.word == "RUN" for each in stage.instructions):
        subprocess.run([python_of(stage.base), "-m", "venv", root / "usr/local"], check=True)
    else:
        root.mkdir()
    environment, folder = clean_environment(root), root
    for each in stage.instructions:
        if each.word == "WORKDIR":
            folder = below(root, each.told)
            folder.mkdir(parents=True, exist_ok=True)
        elif each.word == "ENV":
            environment |= {n: placed(v, root) for n, v in each.variables.items() if n != "PATH"}
        elif each.word == "COPY":
            copy(each, root, folder, into)
        elif each.word == "RUN":
            run(each.told, root, folder, environment)


def copy(told: Instruction, root: Path, folder: Path, into: Path) -> None:
    """COPY; a folder's contents go to the destination, as Docker has it."""
    *sources, destination = told.paths
    target = below(root, destination) if destination.startswith("/") else folder / destination
    start = into / told.copied_from if told.copied_from else ROOT
    for source in (start / each.lstrip("/") for each in sources):
        print(f"  COPY {source.relative_to(start)}", flush=True)
        if source.is_dir():
            shutil.copytree(source, target, symlinks=True, ignore=ignored, dirs_exist_ok=True)
        elif destination.endswith("/"):
            target.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target / source.name)
        else:
            shutil.copy2(source, target)


def ignored(folder: str, names: list[str]) -> set[str]:
    """Bytecode of the checkout, which .dockerignore keeps out; that of an image is its own."""
    return {"__pycache__"} & set(names) if Path(folder).is_relative_to(ROOT / "rag_core") else set()


def run(command: str, root: Path, folder: Path, environment: dict[str, str]) -> None:
    """RUN, by the same shell."""
    if command.startswith(NEEDS_A_ROOT):
        print(f"  left out, it needs a root of its own: {command[:70]} …")
        return
    print(f"  RUN {command[:100]}", flush=True)
    started = time.monotonic()
    done = subprocess.run(
        ["/bin/sh", "-c", placed(command, root)],
        cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise StepFailed(f"{command}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}")
    print(f"      {time.monotonic() - started:.0f} s")


def placed(text: str, root: Path) -> str:
    """Absolute paths of the image, below the folder that stands for its root."""
    return re.sub(rf"(?<![\w.-])/(?=(?:{'|'.join(PATHS)})\b)", f"{root}/", text)


def below(root: Path, path: str) -> Path:
    """Where an absolute path of the image is."""
    return root / path.lstrip("/")


def clean_environment(root: Path) -> dict[str, str]:
    """Nothing of this machine but where packages come from, which every image build is told too."""
    sources = r"PIP_(INDEX|EXTRA|FIND|CERT|PROXY|TRUSTED|CONFIG|DEFAULT)\w*|\w+_PROXY"
    told = {n: value for n, value in os.environ.items() if re.fullmatch(sources, n, re.IGNORECASE)}
    home = {"HOME": os.environ["HOME"]} if "HOME" in os.environ else {}  # pip's own settings
    return {**told, **home, "PATH": f"{root}/usr/local/bin:/usr/bin:/bin", "LANG": "C.UTF-8"}


def python_of(base: str) -> str:
    """The Python that a base image such as python:3.12-slim would bring."""
    default = re.search(r"^ARG PYTHON=(\S+)", DOCKERFILE.read_text(encoding="utf-8"), re.MULTILINE)
    image = base.replace("${PYTHON}", default[1] if default else "")
    version = re.match(r"python:(\d+\.\d+)", image)
    if not version:
        raise StepFailed(f"no Python is known for FROM {base}")
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    found = sorted(pyenv.glob(f"{version[1]}.*/bin/python"))
    python = str(found[-1]) if found else shutil.which(f"python{version[1]}")
    if not python:
        raise StepFailed(f"Python {version[1]} is not on this machine: nothing was run")
    return python


def parts(root: Path) -> dict[str, int]:
    """Bytes by part: what is installed below /opt, each file once."""
    sizes = dict.fromkeys(("packages", "bytecode", "rag_core", "model and tokenizer", "rest"), 0)
    for path in (root / "opt").rglob("*"):
        if path.is_file() and not path.is_symlink():
            sizes[part_of(path.relative_to(root / "opt"))] += path.stat().st_size
    return sizes


def part_of(path: Path) -> str:
    """The part that a file below /opt belongs to."""
    if path.parts[0] == "models":
        return "model and tokenizer"
    if path.suffix == ".pyc":
        return "bytecode"
    if "site-packages" in path.parts:
        return "rag_core" if path.parts[4].startswith("rag_core") else "packages"
    return "rest"


def largest(root: Path, count: int = 12) -> list[tuple[float, str]]:
    """The largest packages, in MB."""
    (folder,) = (root / "opt/rag/lib").glob("python3*/site-packages")
    sizes = [
        (sum(f.stat().st_size for f in each.rglob("*") if f.is_file()) / MB, each.name)
        for each in folder.iterdir()
        if each.is_dir()
    ]
    return sorted(sizes, reverse=True)[:count]


def report(root: Path) -> bool:
    """Print the parts; whether their sum is below the limit."""
    sizes = parts(root)
    total = BASE_MB + sum(sizes.values()) / MB
    print(f"\n{'part':<22}{'MB':>8}")
    print(f"{'base, not measured':<22}{BASE_MB:>8.1f}   {BASE}")
    for name, size in sizes.items():
        print(f"{name:<22}{size / MB:>8.1f}")
    print(f"{'sum':<22}{total:>8.1f}   limit {LIMIT_MB}; uncompressed, as docker image ls shows it")
    print("\nlargest packages:", ", ".join(f"{name} {size:.1f}" for size, name in largest(root)))
    return total < LIMIT_MB


def main() -> int:
    """Make the stages and report."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--target", default="app", help="the stage to make")
    parser.add_argument("--into", type=Path, default=ROOT / "build/image", help="replaced if there")
    options = parser.parse_args()
    into = options.into.resolve()
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True)
    try:
        for stage in wanted(read_stages(DOCKERFILE), options.target):
            print(f"{stage.name}, from {stage.base}")
            make(stage, into)
    except StepFailed as failed:
        print(f"error: {failed}", file=sys.stderr)
        return 1
    return 0 if options.target != "app" or report(into / options.target) else 1


if __name__ == "__main__":
    sys.exit(main())
