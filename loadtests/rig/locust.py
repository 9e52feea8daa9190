"""Locust as a child process: this package is never imported beside gevent."""

from __future__ import annotations

import math
import sys
import time
from pathlib import Path

from loadtests.traffic.order import Order, order_text

LOCUSTFILE = Path("loadtests/generator/locustfile.py")
SECRET = "LOADTEST_JWT_SECRET"
"""The variable with the secret that signs people's tokens."""
START_S = 15.0
"""Seconds that the generator has to start, and to draw what it will send."""
JOINING_S = 60.0
"""The same, where generators on other machines are to join."""
_STOP_S = 45  # for what is under way when the load ends


def arguments(
    order: Order, url: str, folder: Path, *, generators: int = 1, joining: bool = False
) -> list[str]:
    """What follows `python -m`.

    Args:
        generators: number of processes that send: here, or where they are `joining`, elsewhere.
    """
    callers, several = order.shape.callers, {}
    if joining or generators > 1:
        several = {"--expect-workers" if joining else "--processes": generators}
    run_s = math.ceil(order.origin_s - time.time() + order.shape.seconds + 1)
    options = {
        "--locustfile": LOCUSTFILE, "--host": url, "--users": callers, "--spawn-rate": callers,
        "--run-time": f"{run_s}s", "--stop-timeout": f"{_STOP_S}s", "--csv": folder / "locust",
        "--html": folder / "locust.html", "--folder": folder, "--order": order_text(order),
    } | several  # fmt: skip
    flags = ["--headless", "--only-summary", *(["--master"] if joining else [])]
    return ["locust", *flags, *(str(word) for item in options.items() for word in item)]


def joining_command(host: str) -> list[str]:
    """The command that makes this process a generator of the load that `host` leads."""
    options = ["--worker", "--master-host", host]
    return [sys.executable, "-m", "locust", "--locustfile", str(LOCUSTFILE), *options]
