"""Notes and chunks in Postgres with pgvector, over psycopg's async pool."""
