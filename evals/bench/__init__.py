"""Benchmarks: each figure beside its reference."""
