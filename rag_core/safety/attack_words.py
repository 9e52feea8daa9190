"""The vocabulary of attacks: pieces of the regular expressions in `attack_patterns`.

A blank in a piece stands for any white space.
"""

from __future__ import annotations

START = (
    r"(?:^|[\n.!?:;,>\])\"'(-] ?|\b(?:and|then|now|please|kindly|just|simply|also|always|totally"
    r"|completely|instead|first|(?:can|could|would|will) you|you to|(?:task|job) is to|let's"
    r"|you (?:can|could|should|must|may|will|shall|need to|have to|are to)) )"
)
"""Where an order can begin. "Why did Saul ignore …" and "those who forget …" do not begin so."""

OPENING = (
    r"(?:^|[\n.!?:;>\])] ?|\b(?:please|kindly|now|(?:can|could|would|will) you|you to|you must"
    r"|you should|you will|(?:task|job) is to|let's) )(?:please |kindly |now |just )*"
)
"""The same without "and" and commas, for orders whose words also tell stories."""

IGNORE = (
    r"(?:ignor(?:e|ing)|disregard(?:ing)?|forget|overlook|bypass|override|overrule|neglect|discard"
    r"|dismiss|set aside|pay no attention to|(?:do not|don't|never|stop) (?:follow|obey)(?:ing)?)"
)
WHICH = (
    r"(?: (?:all|any|every|each|of|the|your|my|our|these|those|this|that|previous|previously|prior"
    r"|preceding|above|earlier|former|foregoing|initial|original|existing|current|past|old|given"
    r"|system|developer|hidden|content|ethical|and|or|following|subsequent|other|internal))"
)
EARLIER = (
    r" (?:previous|prior|preceding|above|earlier|foregoing|initial|original|existing|your|system)"
)
GUIDES = (
    r"(?:instructions|prompts?|guidelines?|guardrails?|directives?|directions|programming"
    r"|safeguards?|filters?|restrictions|safety \w+|(?:system|developer) messages?)"
)
ANY_GUIDES = (
    rf"(?:{GUIDES}|rules|commands|orders|polic(?:y|ies)|constraints|training|context|messages?"
    r"|text|data|content|conversation|tasks?|requests?|input|information)"
)
NOT_IN_SCRIPTURE = (
    r"\b(?! (?:of (?!this|your|the (?:system|assistant|model|app|ai)\b)"
    r"|for (?!a |now|this|the (?:rest|moment))|from|by"
    r"|god|jesus|christ|moses|paul|the lord|he|she|they"
    r"|given (?!to you|above)"
    r"|(?:that|which|who) (?!you|i |we |were|are|came)|in (?!your|this|the (?:system|prompt)|json"
    r"|full|a |the form)|\w+ gave|to (?!me|you|the user))\b)"
)
"""What follows would say whose instructions are meant: somebody's in the Bible, not ours."""

UTTER = (
    r"(?:repeat|output|print|show|display|copy|reproduce|echo|recite|paste|return|write|dump|give"
    r"|tell|spell[- ]check|translate|summari[sz]e|quote|reveal|leak|disclose|expose|share|provide"
    r"|list|encode|describe|explain|send|sending|sharing|showing|see|read|access|type|spell"
    r"|convert|what are|what were|what is|what's|opposite of|rephrase|paraphrase|know)"
)
AUTOMATON = (
    r"(?:assistant|ai|bot|chatbot|language model|llm|gpt|terminal|shell|console|interpreter"
    r"|compiler|hacker|persona|agent|machine|robot|linux|python|developer|administrator|admin"
    r"|root|unrestricted|uncensored|unfiltered)"
)
PRIVILEGED = (
    r"(?:maintenance|developer|debug|debugging|admin|administrator|root|sudo|test|testing"
    r"|diagnostic|service|unrestricted|unfiltered|jailbreak|override|training|dan|god)"
)
DECODE = (
    r"(?:decode|decipher|decrypt|unscramble|deobfuscate|translate|unhex|reverse|apply [\w-]+"
    r"|convert)"
)
SECRET = (
    r"(?:passwords?|credentials|secret (?:keys?|tokens?)|secrets|connection strings?"
    r"|session metadata|(?:column|table) names|database schema|configuration variables)"
)
ADDRESS = (
    r"(?:https?://|www\.|[\w.+-]{1,64}@[\w-]{1,64}\.\w|\bwebhook|\b(?:my|this) (?:server|url"
    r"|endpoint))"
)
