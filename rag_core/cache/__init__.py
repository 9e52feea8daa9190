"""Caches that never serve an answer whose evidence has changed."""
