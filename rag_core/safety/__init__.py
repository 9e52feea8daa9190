"""What guards the pipeline against its input and its own output."""

from __future__ import annotations

from rag_core.safety.attack_stems import NEEDS, beginnings
from rag_core.safety.injection import BASE64, PATTERNS, ROT13, Pattern, find_attack, fold
from rag_core.safety.leaks import LONGEST_HOLD_CHARACTERS, LeakFilter

__all__ = [
    "BASE64",
    "LONGEST_HOLD_CHARACTERS",
    "NEEDS",
    "PATTERNS",
    "ROT13",
    "LeakFilter",
    "Pattern",
    "beginnings",
    "find_attack",
    "fold",
]
