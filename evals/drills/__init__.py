"""Drills: a provider or a server fails on purpose before the real application, and what it costs.

A drill is a hypothesis in numbers, three phases (calm, trouble, recovery) and a verdict.
"""
