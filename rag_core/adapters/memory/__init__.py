"""Stores in this process: the fakes of the real ones, for speed and faults."""
