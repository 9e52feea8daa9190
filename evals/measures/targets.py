"""What we want of a release, by measure of its answers; the targets gate nothing."""

from __future__ import annotations

from collections.abc import Mapping

TARGETS: Mapping[str, float] = {
    "groundedness": 0.95,
    "fact_recall": 0.70,
    "citation_precision": 0.70,
    "citation_recall": 0.70,
    "R@5": 0.75,
    "abstention_recall": 0.80,
    "abstention_precision": 0.80,
    "attack_refusal": 1.0,
    "false_refusal": 0.0,
}
"""Shares: at least so much, but of `false_refusal` at most."""
