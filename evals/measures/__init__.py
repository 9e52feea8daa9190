"""Measures of answers and of rankings."""
