"""What serving takes before anybody asks: packages, the app's import, memory at rest.

`rag_core[serve]` is installed into an environment of its own, `.venvs/lean`, by the constraints.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import subprocess
from pathlib import Path

from evals.bench.environments import made, site_packages, size_bytes
from evals.bench.figures import Figure
from evals.bench.http_client import Task
from evals.bench.http_processes import generator, listening
from evals.bench.http_world import CACHED, HttpWorld, http_world
from evals.project import ROOT
from evals.results.numbers import megabytes, number
from rag_core.cli.bundle import write_bundle
from rag_core.settings import Settings

# Bars of the requirement.
MOST_PACKAGES_BYTES = 250e6
MOST_IMPORT_S = 0.6
MOST_RSS_BYTES = 250e6
"""Bars of the requirement."""

IMPORTS = 7
"""Processes that the median is taken over; chosen."""

_MODEL: str = Settings.model_fields["embedder_model"].default

_BYTECODE = {"PYTHONDONTWRITEBYTECODE": ""}
"""Kept, as an install and the image do: whoever compiles at each start pays seconds and memory."""

_IMPORT = """
import time
began = time.process_time()
import rag_core.app
print(time.process_time() - began)
"""


async def lean_install(folder: Path) -> list[Figure]:
    """The install, its import, and one worker at rest: when it listens, and after some answers."""
    packages = ["-c", str(ROOT / "constraints.txt"), f"rag_core[serve] @ {ROOT.as_uri()}"]
    python = await asyncio.to_thread(made, "lean", packages, anew=True)
    installed = size_bytes(site_packages(python))
    imports_s = [_import_s(python, folder) for _ in range(IMPORTS + 1)][1:]
    idle, used = await _rss(python, folder)
    import_s = statistics.median(imports_s)
    return [
        _size("site-packages of rag_core[serve], no bytecode", installed, MOST_PACKAGES_BYTES),
        Figure(
            "import of the app",
            f"{number(import_s, 's')} CPU",
            f"≤ {MOST_IMPORT_S} s",
            import_s <= MOST_IMPORT_S,
        ),
        _size("RSS of a worker at rest, with the model", idle, MOST_RSS_BYTES),
        Figure("RSS after 1,000 cached answers", megabytes(used), ""),
    ]


def _import_s(python: Path, folder: Path) -> float:
    """CPU seconds of the import, in a process of its own."""
    command = [str(python), "-c", _IMPORT]
    env = os.environ | _BYTECODE
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, check=True)
    return float(done.stdout)


async def _rss(python: Path, folder: Path) -> tuple[int, int]:
    bundle = write_bundle(folder / "bundle", model=_MODEL, tokenizer=None)
    model = {
        "RAG_EMBEDDER_MODEL": str(bundle.embedder),
        "RAG_TOKENIZER": str(bundle.tokenizer),
        "RAG_HOME": str(folder / "home"),
    }
    command = [str(python), "-m", "rag_core", "serve", "--port", "{port}"]
    async with (
        http_world(folder) as world,
        generator() as asking,
        listening(
            "lean", command, folder, world.settings | model | _BYTECODE, cwd=folder
        ) as server,
    ):
        idle = server.rss_bytes()
        await world.warm(server, asking)
        await asking.run(_answers(world, server.port))
        return idle, server.rss_bytes()


def _answers(world: HttpWorld, port: int) -> Task:
    return Task(port=port, request=world.ask(), requests=1_000, connections=32, marks=(CACHED,))


def _size(name: str, size: int, most: float) -> Figure:
    return Figure(name, megabytes(size), f"≤ {megabytes(most)}", size <= most)
