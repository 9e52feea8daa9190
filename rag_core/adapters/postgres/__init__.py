"""Notes and chunks in Postgres with pgvector, over psycopg's async pool."""

from __future__ import annotations

from rag_core.adapters.postgres.api_keys import PostgresApiKeys
from rag_core.adapters.postgres.connection import Connection, Row
from rag_core.adapters.postgres.costs import PostgresCosts
from rag_core.adapters.postgres.cost_report import PostgresCostReport
from rag_core.adapters.postgres.database import Database, Pool, open_database
from rag_core.adapters.postgres.dead_letters import DeadLetter, DeadLetters
from rag_core.adapters.postgres.documents import PostgresDocuments
from rag_core.adapters.postgres.epochs import PostgresEpochs
from rag_core.adapters.postgres.failures import translated
from rag_core.adapters.postgres.feedback import PostgresFeedback
from rag_core.adapters.postgres.imports import PostgresImports
from rag_core.adapters.postgres.index import (
    HNSW_INDEX,
    IndexKind,
    check_index,
    index_vectors,
    never_sorting,
)
from rag_core.adapters.postgres.notes import PostgresNotes
from rag_core.adapters.postgres.plan import PlanNode
from rag_core.adapters.postgres.search import PostgresRetriever
from rag_core.adapters.postgres.tenant_sizes import COUNTED_FOR_S, TenantSizes
from rag_core.adapters.postgres.vectors import PostgresVectors

# fmt: off
__all__ = [
    "COUNTED_FOR_S", "HNSW_INDEX", "Connection", "Database", "DeadLetter", "DeadLetters",
    "IndexKind", "PlanNode", "Pool", "PostgresApiKeys", "PostgresCostReport", "PostgresCosts",
    "PostgresDocuments", "PostgresEpochs", "PostgresFeedback", "PostgresImports", "PostgresNotes",
    "PostgresRetriever", "PostgresVectors", "Row", "TenantSizes", "check_index", "index_vectors",
    "never_sorting", "open_database", "translated",
]
