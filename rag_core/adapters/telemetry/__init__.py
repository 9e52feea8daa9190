"""Listeners: one backend a file."""
