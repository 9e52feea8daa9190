"""Intervals, and what they say."""
