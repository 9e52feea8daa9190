"""Pronouns that point at what was said before, and not at something in their own question."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rag_core.domain.words import is_telling

_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)?")
_CLEFT = re.compile(r"(?:is|was)\s+it\b.*(?:\b(?:that|who)\b|,\s*or\b)", re.IGNORECASE)
"""`Was it his eyes that …?`, `Was it an apple, or …?`: it stands for what follows."""
_CONDITION = re.compile(
    r"(?:if|when|as|although|because|while|after|before)\b[^,]*,", re.IGNORECASE
)
"""A clause before the main one, whose pronouns may mean what comes in that."""
_SENTENCE = re.compile(r"[.!?]\s+")
_SCENE = 4
"""Telling words of a sentence that sets a scene of its own; chosen."""

_VERB_WORDS = """
is are was were am be been do does did has have had can could will would shall should may might must
"""
_VERBS = frozenset(_VERB_WORDS.split())
_ASKING = "who whom whose what which when where why how"
_ASKS = _VERBS | frozenset(_ASKING.split())
_CONTRACTED = {"can't": "can", "won't": "will", "shan't": "shall"}
_PHRASE_ASKS = frozenset(["what", "which", "whose", "how"])
"""These may be followed by a noun: which disciple, how many."""

_SUBJECTS = frozenset(["he", "she", "they"])
_POSSESSIVES = frozenset(["his", "its", "their", "theirs", "hers"])
_PERSONS = frozenset(["him", "them", "her"])
_POINTING = frozenset(["this", "that", "these", "those"])
_AROUND = """
morning evening year week month sunday day time age weekend world life country church town
"""
_AROUND_US = frozenset(_AROUND.split())
"""What `this` points at in the world, and not in what was said: this year."""
_RELATIVE = frozenset(["who", "whom", "whose", "that", "which", "of"])
_JOINING = """
who that which when where because if and as while how why after before since although though until
so but or what
"""
_CLAUSES = frozenset(_JOINING.split())
"""Words that begin another clause, where a pronoun may mean what the first one named."""
_WRITER = frozenset(["i", "we", "you", "my", "our"])
_FEW = 8
"""Words of a question whose last word, `that`, can mean nothing in it; chosen."""


def is_asking(word: str) -> bool:
    """Whether a word in small letters stands in whole questions: who, what, is, did …"""
    return word.partition("'")[0] in _ASKS


def words_of(text: str) -> list[str]:
    """The words as they are written."""
    return _WORD.findall(text)


def points_back(text: str) -> bool:
    """Whether a pronoun in the question can mean nothing in the question itself."""
    if _CLEFT.match(text) or _sets_its_scene(text):
        return False
    written = words_of(text)
    lower = _lower(text)
    return any(_points(lower, written, at) for at in range(len(lower)))


def _sets_its_scene(text: str) -> bool:
    """Whether a sentence or a clause before the question says what it is about, or it itself does.

    `They tried to catch Jesus out over the tax. How did he get round it?`
    """
    first, *more = _SENTENCE.split(text, maxsplit=1)
    if more and len(_places(_lower(first))) >= _SCENE:
        return True
    condition = _CONDITION.match(text)
    return condition is not None and len(_places(_lower(text[condition.end() :]))) >= _SCENE


def _lower(text: str) -> list[str]:
    """In small letters, and did for didn't."""
    words = (word.lower().replace("’", "'") for word in words_of(text))
    return [_CONTRACTED.get(word, word.removesuffix("n't")) for word in words]


def _points(lower: Sequence[str], written: Sequence[str], at: int) -> bool:
    word, before, after = lower[at].partition("'")[0], lower[:at], lower[at + 1 :]
    if word in _POINTING:
        return _shows(word, before, after)
    if word == "it" and _stands_for_what_follows(after):
        return False
    if word in _POSSESSIVES or (word == "her" and after and is_telling(after[0])):
        return not _things(before)
    if word in _SUBJECTS or (word == "it" and before[-1:] and before[-1] in _VERBS):
        return _is_fronted(before) or not _things(before)
    if word in _PERSONS:
        return _has_no_other_person(before)
    if word == "it":
        return not any(not written[each].istitle() for each in _places(before[:-1]))
    return word in ("former", "latter") and before[-1:] == ["the"] and not after


def _shows(word: str, before: Sequence[str], after: Sequence[str]) -> bool:
    """`What does this mean?`, `How did he answer that?`, but not `this year`, `those who …`."""
    if (after and after[0] in _AROUND_US) or before[-1:] in (["so"], ["all"], ["like"]):
        return False
    if not after:
        return len(before) < _FEW
    if word in ("these", "those") and not _RELATIVE.isdisjoint(after):
        return False
    if word == "that" and not (before and before[-1] in _VERBS and _ends_soon(after)):
        return False
    return not _things(before)


def _ends_soon(after: Sequence[str]) -> bool:
    """`How did that happen?`, `What does that say of …?`, but not `Did that scholar stay?`"""
    return len(after) == 1 or after[0] == "mean" or not is_telling(after[0])


def _is_fronted(before: Sequence[str]) -> bool:
    """`What sign was | he given`: all that stands before belongs to what is asked for."""
    asked = before[1:] if before[:1] and before[0] in ("and", "but", "so", "or") else before
    if not asked or asked[-1] not in _VERBS or any(word in _VERBS for word in asked[:-1]):
        return False
    return len(asked) == 2 or asked[0] in _PHRASE_ASKS


def _has_no_other_person(before: Sequence[str]) -> bool:
    """`What did Nathan say to him?`: not Nathan, who would have spoken to himself."""
    places = _places(before[:-1])
    if not places:
        return True
    since = set(before[places[-1] + 1 :])
    return len(places) == 1 and since.isdisjoint(_CLAUSES) and _WRITER.isdisjoint(before)


def _stands_for_what_follows(after: Sequence[str]) -> bool:
    """`What does it mean to fear God?`"""
    return any(word in after for word in ("to", "that", "when", "if", "for"))


def _things(words: Sequence[str]) -> bool:
    return bool(_places(words))


def _places(words: Sequence[str]) -> list[int]:
    """Where the words stand that say what a text is about: what a pronoun could mean."""
    bare = [word.partition("'")[0] for word in words]
    return [at for at, word in enumerate(bare) if is_telling(word) and word not in _ASKS]
