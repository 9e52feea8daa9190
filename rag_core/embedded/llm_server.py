"""The process that serves the small language model; `llm.py` starts it."""

from __future__ import annotations

import importlib
import os
import sys


def main() -> None:
    """Run as `python -m rag_core.embedded.llm_server WEIGHTS`.

    Prints the address once the model is loaded and serves until standard input ends.
    """
    xllamacpp = importlib.import_module("xllamacpp")
    parameters = xllamacpp.CommonParams()
    parameters.model.path = sys.argv[1]
    parameters.model_alias = {"smollm2"}
    parameters.hostnames = ["127.0.0.1"]
    parameters.port = 0
    parameters.ui = False
    parameters.n_parallel = 1
    # Room for our largest prompt and answer (150 + 1,200 + rules + 400 tokens).
    parameters.n_ctx = 4096
    parameters.cpuparams.n_threads = min(4, os.cpu_count() or 1)
    server = xllamacpp.Server(parameters)
    print(server.listening_address, flush=True)
    sys.stdin.buffer.read()
    os._exit(0)  # at once: its own way out waits for requests that nobody reads any more


if __name__ == "__main__":
    main()
