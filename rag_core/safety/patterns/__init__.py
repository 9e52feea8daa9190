"""The named patterns of prompt injection, for folded text; one file a family.

Church questions use many of the same words (instructions, reveal, act as, forget, pretend), so a
pattern asks for an order addressed to a machine: a verb where an order can begin, or a noun that
only software has.
"""

from __future__ import annotations

from rag_core.safety.patterns.delimiter_smuggling import DELIMITER_SMUGGLING
from rag_core.safety.patterns.encoded_payload import ENCODED_PAYLOAD
from rag_core.safety.patterns.exfiltration import EXFILTRATION
from rag_core.safety.patterns.ignore_previous import IGNORE_PREVIOUS
from rag_core.safety.patterns.orders import ORDERS
from rag_core.safety.patterns.other_languages import OTHER_LANGUAGES
from rag_core.safety.patterns.pattern import Pattern
from rag_core.safety.patterns.persona_jailbreak import PERSONA_JAILBREAK
from rag_core.safety.patterns.reveal_prompt import REVEAL_PROMPT
from rag_core.safety.patterns.role_override import ROLE_OVERRIDE
from rag_core.safety.patterns.tool_hijack import TOOL_HIJACK

PATTERNS: tuple[Pattern, ...] = (
    *DELIMITER_SMUGGLING,
    *IGNORE_PREVIOUS,
    *REVEAL_PROMPT,
    *PERSONA_JAILBREAK,
    *ROLE_OVERRIDE,
    *EXFILTRATION,
    *TOOL_HIJACK,
    *ENCODED_PAYLOAD,
    *ORDERS,
    *OTHER_LANGUAGES,
)
"""In the order they are tried: the first that matches names the attack."""

__all__ = ["PATTERNS", "Pattern"]
