"""Wiring: the only place that sees settings, adapters and the pipeline together."""
