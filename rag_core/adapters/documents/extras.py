"""Libraries that read some kinds of files, installed where they are wanted."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from rag_core.errors import ConfigurationError


def needed(module: str, extra: str) -> Any:
    """The module.

    Raises:
        ConfigurationError: it is not installed; names the extra that brings it.
    """
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        fix = f"Run: pip install 'rag_core[{extra}]'"
        raise ConfigurationError("documents", f"reading this needs {error.name}", fix) from error
