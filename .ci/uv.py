"""uv, told what this machine's pip is told: uv reads neither pip's configuration nor PIP_*.

Where a UV_* variable is set, even to nothing, that is what counts.
"""

from __future__ import annotations

import ast
import os
import subprocess
import sys
from pathlib import Path

# Of pip's options, those that say where packages come from: uv's variable, and what separates.
SOURCES = {
    "index-url": ("UV_DEFAULT_INDEX", " "),
    "extra-index-url": ("UV_INDEX", " "),
    "find-links": ("UV_FIND_LINKS", ","),
}
WAYS = {
    "no-index": ("UV_NO_INDEX", " "),
    "trusted-host": ("UV_INSECURE_HOST", " "),
    "cert": ("SSL_CERT_FILE", " "),
    "proxy": ("ALL_PROXY", " "),
}


def pip_options() -> dict[str, list[str]]:
    """pip's configuration, files and PIP_* together; the environment wins, as for pip."""
    command = [sys.executable, "-m", "pip", "config", "list", "--disable-pip-version-check"]
    listed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    options: dict[str, list[str]] = {}
    for section in ("global.", "install.", ":env:."):
        for line in listed.splitlines():
            name, equals, value = line.removeprefix(section).partition("=")
            if line.startswith(section) and equals:
                options[name] = ast.literal_eval(value).split()
    return options


def environment() -> dict[str, str]:
    """What uv is run with."""
    told = pip_options()
    given = {
        variable: separator.join(told[option])
        for option, (variable, separator) in (SOURCES | WAYS).items()
        if option in told
    }
    if "UV_INDEX" in given:  # pip takes the newest of all indexes, uv the first that has any
        given["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    if sys.platform == "linux" and not SOURCES.keys() & told.keys():
        given["UV_TORCH_BACKEND"] = "cpu"  # PyPI's torch brings gigabytes of CUDA
    return {name: value for name, value in (given | os.environ).items() if value}


if __name__ == "__main__":
    uv = str(Path(sys.executable).with_name("uv"))
    os.execve(uv, [uv, *sys.argv[1:]], environment())
