"""A check that failed: no score, and why."""

from __future__ import annotations


class CheckFailed(Exception):
    """A checker has no score for a claim; the text says why."""
