"""Writes bytecode beside every module that serving imports, late imports too, and no other.

A file's time may change when it is copied between images, so the bytecode asks nobody whether it
is still true (PEP 552): in an image it is.
"""

from __future__ import annotations

import importlib
import pkgutil
import py_compile
import sys
from pathlib import Path

import rag_core

ELSEWHERE = (
    # What other machines do: make tables, start servers, build models, run them on torch.
    *("rag_core.migrations", "rag_core.embedded"),
    *("rag_core.adapters.embedders.bert_graph", "rag_core.adapters.embedders.export"),
    "rag_core.adapters.embedders.sentence_transformers",
)
LATE = (
    # What functions of ours and of libraries import when they are first called.
    *("cryptography.hazmat.primitives.asymmetric.rsa", "onnxruntime", "prometheus_client"),
    *("huggingface_hub.inference._generated._async_client", "limits.aio.storage.redis.bridge"),
    *("procrastinate.builtin_tasks", "pybreaker"),
    *("uvicorn.lifespan.on", "uvicorn.loops.uvloop", "uvicorn.protocols.http.httptools_impl"),
)


def main() -> None:
    """Import, then compile what that brought from below this environment."""
    ours = (each.name for each in pkgutil.walk_packages(rag_core.__path__, "rag_core."))
    for name in (*ours, *LATE):
        if not name.startswith(ELSEWHERE):
            importlib.import_module(name)
    files = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
    sources = {Path(file) for file in files if file and file.endswith(".py")}
    for source in sorted(sources):
        if source.is_relative_to(sys.prefix):
            mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
            py_compile.compile(str(source), doraise=True, invalidation_mode=mode)


if __name__ == "__main__":
    main()
