"""Validity: how well measures tell right from wrong."""
