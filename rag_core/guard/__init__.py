"""Keeping one part's trouble from becoming everyone's."""
