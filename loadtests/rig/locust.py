"""Locust as a child process: this package is never imported beside gevent."""

from __future__ import annotations

import math
import sys
import time
from pathlib import Path

from loadtests.traffic.shape import Shape

LOCUSTFILE = Path("loadtests/generator/locustfile.py")
SECRET = "LOADTEST_JWT_SECRET"
"""The variable with the secret that signs people's tokens."""
START_S = 10.0
"""Seconds that the generator has to start, and to draw what it will send."""
JOINING_S = 60.0
"""The same, where generators on other machines are to join."""
_STOP_S = 45.0  # for what is under way when the load ends


def arguments(
    shape: Shape,
    url: str,
    folder: Path,
    *,
    seed: int,
    origin_s: float,
    generators: int,
    joining: bool,
) -> list[str]:
    """What follows `python -m`, for a load that begins at `origin_s` of `time.time()`.

    Args:
        generators: number of processes that send: here, or where they are `joining`, elsewhere.
    """
    run_s = math.ceil(origin_s - time.time() + shape.seconds + 1)
    several = {"--expect-workers" if joining else "--processes": generators}
    options = {
        "--locustfile": LOCUSTFILE, "--host": url, "--users": shape.callers,
        "--spawn-rate": shape.callers, "--run-time": f"{run_s}s", "--stop-timeout": _STOP_S,
        "--csv": folder / "locust", "--html": folder / "locust.html", "--shape": shape.name,
        "--load-seed": seed, "--origin": origin_s, "--folder": folder,
    } | (several if joining or generators > 1 else {})  # fmt: skip
    flags = ["--headless", "--only-summary", *(["--master"] if joining else [])]
    return ["locust", *flags, *(str(word) for item in options.items() for word in item)]


def joining_command(host: str) -> list[str]:
    """The command that makes this process a generator of the load that `host` leads."""
    options = ["--worker", "--master-host", host]
    return [sys.executable, "-m", "locust", "--locustfile", str(LOCUSTFILE), *options]
