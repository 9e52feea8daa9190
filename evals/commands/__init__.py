"""The commands of `python -m evals`, a file a group; each imports what it runs itself."""
