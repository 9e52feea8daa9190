"""Words: what the pipeline speaks of; standard library only, no I/O."""
