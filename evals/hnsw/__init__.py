"""HNSW beside IVFFlat and exact search: what recall costs, by size, tenant and load."""
