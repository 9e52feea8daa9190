"""Notes from files."""
