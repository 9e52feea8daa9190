"""What kind of answer a question asks for, told by rules, so that it may cost what it is worth.

English only: in another language a question is a look-up, which is answered as by default. A rule
that is not sure leaves a question a look-up.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum


class QuestionClass(StrEnum):
    """LOOK_UP one thing, LIST all of a kind, SUMMARY of much, CHIT_CHAT that asks no note."""

    LOOK_UP = "look_up"
    LIST = "list"
    SUMMARY = "summary"
    CHIT_CHAT = "chit_chat"

    @property
    def in_words(self) -> str:
        """As a person writes it."""
        return self.value.replace("_", "-")


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassBudgets:
    """What questions of a class may use; what is None or empty is as for every question.

    `context_tokens` and `output_tokens` are numbers of tokens, `providers` names, first asked
    first.
    """

    context_tokens: int | None = None
    output_tokens: int | None = None
    providers: tuple[str, ...] = ()


_POLITE = (
    r"(?:(?:please|so|ok|okay|hi|hello|now|and|also|well)[,!]?\s+)*+"
    r"(?:(?:can|could|would|will)\s+you\s+(?:please\s+)?|i(?:'d|\s+would)?\s+(?:like|love|want|need)"
    r"\s+(?:you\s+to\s+|to\s+have\s+|to\s+see\s+)?|let\s+me\s+(?:have|see)\s+)?"
    r"(?:(?:please|just|briefly|quickly)\s+)*(?:(?:give|show|tell|write|make|get)\s+(?:me\s+)?)?"
)
"""What may go before what is asked for."""

_PLEASANTRIES = (
    r"hi|hello|hey|hiya|greetings|good\s+(?:morning|afternoon|evening|night|day)|welcome\s+back",
    r"(?:many\s+)?thanks|thank\s+you|thank\s+u|thx|ta|cheers|much\s+appreciated|i\s+appreciate\s+it",
    r"(?:good\s?)?bye|bye\s+bye|see\s+you|take\s+care|have\s+a\s+(?:\w+\s+)?(?:day|evening|weekend)",
    r"ok|okay|yes|yeah|yep|no|nope|sure|right|i\s+see|got\s+it|never\s+mind|no\s+problem|sorry",
    r"(?:that(?:'s|\s+is|\s+was)\s+|you(?:'re|\s+are)\s+)?(?:so\s+|very\s+|really\s+)?"
    r"(?:great|good|nice|fine|perfect|lovely|wonderful|brilliant|excellent|amazing|helpful|cool"
    r"|kind|awesome)(?:\s+(?:job|work|answer|one))?|well\s+done|wow|amen",
    r"how\s+are\s+you(?:\s+doing)?|how(?:'s|\s+is)\s+it\s+going|who\s+are\s+you|what\s+are\s+you"
    r"|what(?:'s|\s+is)\s+your\s+name|what\s+can\s+you\s+do|are\s+you\s+(?:there|a\s+robot|human)"
    r"|nice\s+to\s+meet\s+you|test(?:ing)?",
)
_AFTERWARDS = (
    r"there|again|please|so\s+much|very\s+much|a\s+lot|a\s+million|all|everyone|friend|today|tonight|then"
    r"|now|later|soon|tomorrow|indeed|for\s+(?:that|this|now|(?:all\s+)?your\s+(?:help|time|answer"
    r"|patience))|for\s+(?:the\s+)?(?:help|helping(?:\s+me)?|answer)|of\s+you|to\s+you(?:\s+too)?"
)
_CHIT_CHAT = (
    rf"(?:(?>(?:{'|'.join(_PLEASANTRIES)})(?:\s+(?:{_AFTERWARDS}))*"
    r"(?:[\s,.!?;:)(-]+(?:and\s+)?|$)))++"
)
"""Each is read in one way only; in many, a long row of `bye` would take for ever."""

_SUMMARY_NOUN = (
    r"summary|overview|outline|gist|recap|synopsis|digest|précis"
    r"|(?:main|key|central|chief|essential)\s+(?:points?|ideas?|themes?|thoughts?|messages?"
    r"|lessons?|arguments?|takeaways?|teachings?)"
)
_ADJECTIVES = r"(?:\w+[\s-]+){0,3}?"

_NUMBER = r"(?:two|three|four|five|six|seven|eight|nine|ten|twelve|\d{1,2})"
_PLURAL = (
    r"(?!(?:is|was|has|does|this|his|its|us|jesus|moses)\b)\w{2,}(?<![su'i])s"
    r"|people|men|women|children"
)

RULES: tuple[tuple[QuestionClass, str, re.Pattern[str]], ...] = tuple(
    (kind, says, re.compile(pattern, re.IGNORECASE))
    for kind, says, pattern in (
        (QuestionClass.SUMMARY, "asks to sum up",
         rf"{_POLITE}(?:summari[sz]e|sum\s+up|recap|outline|condense|boil\s+down)\b"),
        (QuestionClass.SUMMARY, "asks for a summary of something",
         rf"{_POLITE}(?:(?:a|an|the|some)\s+)?{_ADJECTIVES}(?:{_SUMMARY_NOUN})"
         r"\s+(?:of|on|about|from|in|for|to)\b"),
        (QuestionClass.SUMMARY, "asks what they are",
         rf"what(?:'s|\s+is|\s+are|\s+was|\s+were)\s+(?:the|my)\s+{_ADJECTIVES}(?:{_SUMMARY_NOUN})\b"),
        (QuestionClass.SUMMARY, "asks for little of much",
         r".*\b(?:in\s+(?:a\s+nutshell|short|brief|a\s+few\s+(?:words|sentences|lines)"
         rf"|(?:one|{_NUMBER})\s+(?:words?|sentences?|lines?|paragraphs?))|tl;?dr)\b"),
        (QuestionClass.SUMMARY, "asks for all that there is",
         rf"{_POLITE}(?:everything|all)\s+(?:that\s+)?(?:i|we|there\s+is|you\s+(?:know|have))\b"
         rf"|{_POLITE}everything\s+(?:in\s+|about\s+|from\s+)?my\s+notes\b"),
        (QuestionClass.LIST, "asks for a list",
         rf"{_POLITE}(?:(?:a|an|the|my)\s+)?(?:{_ADJECTIVES}list\s+(?:of|with|all)"
         r"|(?:list|enumerate|itemi[sz]e)\s+\w+|(?:name|find)\s+(?:me\s+)?(?:all|every|each|any)\b"
         rf"|name\s+(?:(?:the|my)\s+)?(?:{_NUMBER}\s+)?(?:{_PLURAL})\b"
         r"|(?:all|every|each)\s+(?:of\s+)?(?:the|my|note|sermon|talk|entry)\b)"),
        (QuestionClass.LIST, "asks which of several",
         rf"(?:in|on|at|from|to|under|for|by|with)?\s*which\s+(?:of\s+(?:my|the|our)\s"
         rf"|(?:{_NUMBER}\s+)?(?:{_PLURAL})\b|(?:\w+\s+)(?:{_PLURAL})\s+(?:are|were|have|had|did|do)\b"
         r"|ones\b)"),
        (QuestionClass.LIST, "asks what they all are",
         rf"what\s+(?:(?:are|were)\s+(?:all\s+)?(?:the|my|our|some)\s"
         rf"|(?:all|{_NUMBER}|other|different|various|kinds\s+of|sorts\s+of)\s+(?:{_PLURAL})\b)"),
        (QuestionClass.LIST, "asks where all it stands",
         r"where\s+(?:else\s+)?(?:(?:all\s+)?(?:have|did|do)\s+i|in\s+my\s+notes)\b.*"
         r"\b(?:mention|speak|talk|write|written|quote|refer)\w*"),
    )
)  # fmt: skip
"""What a sentence of a question is matched against from its beginning; the first one counts."""

_WHOLE_CHIT_CHAT = re.compile(_CHIT_CHAT, re.IGNORECASE)
_SENTENCE = re.compile(r"(?<=[.?!:])\s+")


def classify(question: str) -> QuestionClass:
    """The class of a normalised question; a look-up where no rule says otherwise.

    Chit-chat is nothing but pleasantries: `Thanks! And why Ruth?` is a look-up.
    """
    text = question.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").strip()
    if _WHOLE_CHIT_CHAT.fullmatch(text):
        return QuestionClass.CHIT_CHAT
    sentences = _SENTENCE.split(text)
    for kind, _, pattern in RULES:
        if any(pattern.match(sentence) for sentence in sentences):
            return kind
    return QuestionClass.LOOK_UP
