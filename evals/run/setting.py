"""Settings of a run that are given on the command line."""

from __future__ import annotations

import os
from collections.abc import Sequence

from rag_core.errors import InvalidInput
from rag_core.settings import PREFIX


def set_for_run(texts: Sequence[str]) -> None:
    """Put `RAG_X=VALUE` into the environment, where this process and its kernels read it.

    Raises:
        InvalidInput: one of them is not written like that.
    """
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not name.startswith(PREFIX):
            raise InvalidInput("--set", f"{text!r} is not RAG_X=VALUE", "Write it like RAG_TOP_K=8")
        os.environ[name] = value
