"""What guards the pipeline against its input and its own output."""

from __future__ import annotations

from rag_core.safety.injection import BASE64, DISGUISED, ROT13, find_attack, fold
from rag_core.safety.leaks import LONGEST_HOLD_CHARACTERS, LeakFilter
from rag_core.safety.patterns import PATTERNS, Pattern
from rag_core.safety.quick_look import beginnings

# fmt: off
__all__ = [
    "BASE64", "DISGUISED", "LONGEST_HOLD_CHARACTERS", "PATTERNS", "ROT13", "LeakFilter", "Pattern",
    "beginnings", "find_attack", "fold",
]
