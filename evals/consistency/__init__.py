"""The trial of freshness: many writers, many readers, servers that fail."""
