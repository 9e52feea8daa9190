from __future__ import annotations

import pytest

from evals.measures.specifics import missing_names, missing_numbers


@pytest.mark.parametrize(
    ("claim", "source", "missing"),
    [
        ("He kept 40 sheep.", "There were forty sheep.", ()),
        ("He kept twelve sheep.", "There were 12 sheep.", ()),
        ("He kept 41 sheep.", "There were 40 sheep.", ("41",)),
        ("He kept forty-one sheep.", "There were 41 sheep.", ()),
        ("He had 1,000 sheep.", "He had 1000 sheep.", ()),
        ("No one came.", "Nobody came.", ()),
        ("There is 1 God.", "There is one God.", ()),
        ("It is in chapter 4:7.", "Gen 4:1-7", ()),
        ("It is in the twelfth chapter.", "As ch. xii. says", ()),
        ("The seventh law is kept.", "The fifth law is kept.", ("7",)),
        ("Five hundred men came.", "500 men came.", ()),
        ("Two thousand and three hundred men came.", "2000 and 300 men came.", ()),
        ("Five hundred men came.", "Five men came.", ("500",)),
        ("An ill wind blew.", "A wind blew.", ()),
    ],
)
def test_numbers_must_be_in_the_source(claim: str, source: str, missing: tuple[str, ...]) -> None:
    assert missing_numbers(claim, source) == missing


@pytest.mark.parametrize(
    ("claim", "source", "missing"),
    [
        ("Then Abel came to Eden.", "Abel's sheep lay near Eden.", ()),
        ("Then Seth came.", "Then Abel came.", ("Seth",)),
        ("Seth came.", "Abel came.", ()),
        ("Moses came.", "Abel came.", ("Moses",)),
        ("He came. Seth did not.", "He came.", ()),
        ("In my notes I saw it.", "It was seen.", ()),
        ("It fell in March.", "Mar 52", ()),
        ("Then Theresa came.", "Then the king came.", ("Theresa",)),
        ("They met the Lord.", "They met God.", ()),
        ("So the Bible says.", "So it says.", ()),
    ],
)
def test_names_must_be_in_the_source(claim: str, source: str, missing: tuple[str, ...]) -> None:
    """A capital at the start of a sentence makes no name, unless it is a biblical one."""
    assert missing_names(claim, source) == missing
