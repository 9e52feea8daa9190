"""Generators: who writes the answers."""
