"""Writes bytecode beside every module that serving imports, late imports too, and no other.

A file's time may change when it is copied between images, so the bytecode asks nobody whether it
is still true (PEP 552): in an image it is.
"""

from __future__ import annotations

import importlib
import py_compile
import sys
from pathlib import Path

SERVING = (
    *("rag_core.__main__", "rag_core.app", "rag_core.bootstrap"),
    # What is imported when it is first needed.
    *("rag_core.adapters.embedders.onnx", "rag_core.adapters.generators.chat_completions"),
    *("rag_core.adapters.generators.extractive", "rag_core.adapters.llama_tokenizer"),
    *("rag_core.adapters.postgres", "rag_core.adapters.redis", "rag_core.adapters.telemetry"),
    *(
        "cryptography.hazmat.primitives.asymmetric.rsa",
        "huggingface_hub",
        "jwt",
        "limits",
        "pybreaker",
    ),
    "huggingface_hub.inference._generated._async_client",
    *("uvicorn.lifespan.on", "uvicorn.loops.uvloop", "uvicorn.protocols.http.httptools_impl"),
)


def main() -> None:
    """Import, then compile what that brought from below this environment."""
    for name in SERVING:
        importlib.import_module(name)
    files = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
    sources = {Path(file) for file in files if file and file.endswith(".py")}
    for source in sorted(sources):
        if source.is_relative_to(sys.prefix):
            mode = py_compile.PycInvalidationMode.UNCHECKED_HASH
            py_compile.compile(str(source), doraise=True, invalidation_mode=mode)


if __name__ == "__main__":
    main()
