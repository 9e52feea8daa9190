"""The words without which a pattern cannot match: a quick look that decides what is searched.

A search costs a tenth of a microsecond for each character and pattern; most stretches of a text
hold no word that a pattern needs.
"""

from __future__ import annotations

import re
from types import MappingProxyType

_BEGINNING = re.compile(r"(?<![a-z0-9])[a-z0-9]{2,5}|---|[!#(*/:<=\[_`|]")

_UTTER = """
acces conve copy descr discl displ dump echo encod expla expos give know leak list oppos outpu
parap paste print provi quote read recit rephr repea repro retur revea see send sendi share shari
show showi spell summa tell trans type what write
"""
_GUIDES = "devel direc filte guard guide instr messa progr promp restr safeg safet syste"

_NEEDS = {
    "delimiter_smuggling.chat_token": "< [ & | _ admin assis devel inst sys syste",
    "delimiter_smuggling.tag": """
        < & ! admin assis conte devel docum end instr notes promp syste tool untru user""",
    "delimiter_smuggling.turn": "ai assis devel human syste user & :",
    "delimiter_smuggling.divider": """
        admin begin end instr new start syste
        & # --- = * ` < [""",
    "ignore_previous.instructions": f"""
        aside atten bypas disca dismi disre follo forge ignor negle obey obeyi overl overr
        & {_GUIDES} comma const conte conve data infor input order polic reque rules task tasks text
        train""",
    "ignore_previous.above": """
        aside atten bypas disca dismi disre follo forge ignor negle obey obeyi overl overr
        & above all anyth befor every far foreg prece prior what""",
    "ignore_previous.material": "disre forge ignor",
    "ignore_previous.replacement": """
        conve direc goal guide instr objec overr promp reque rules task tasks
        & above curre earli exist initi new origi overr previ prior""",
    "ignore_previous.output": """
        echo outpu print reply repor respo say & else if just only simpl""",
    "reveal_prompt.system_prompt": """
        confi devel first hidde initi inter origi secre start syste under
        & confi direc guide instr messa param promp rules setti strin syste""",
    "reveal_prompt.your_instructions": f"""
        confi direc guard guide instr messa param progr promp restr rules sourc text train
        & {_UTTER}""",
    "reveal_prompt.what_guides_you": """
        bound const contr direc gover guide instr limit rules & you your""",
    "reveal_prompt.were_you_told": """
        begin compl conti fill finis how start what which
        & confi direc instr progr promp rules you""",
    "reveal_prompt.text_above": """
        copy displ dump echo give outpu paste print recit repea repro retur show spell tell trans
        write & above befor compl entir far full prece previ prior whole""",
    "persona_jailbreak.no_limits": """
        censo conte filte guard guide limit moral restr safeg safet
        & act ai answe assis imagi mode model perso prete reply respo speak you""",
    "persona_jailbreak.alter_ego": """
        amora anyth calle chara dan evil jail jailb named uncen uneth unfil unres
        & ai assis bot chatb confi dan gpt jail jailb mode model now perso stay twin versi""",
    "persona_jailbreak.pretend": "grand play prete role rolep",
    "persona_jailbreak.abuse": "compo creat gener give tell write",
    "role_override.mode": """
        acces comma mode overr privi
        & admin dan debug devel diagn god jailb maint opera overr root secur servi sudo syste test
        testi train unfil unres""",
    "role_override.new_role": """
        admin agent ai assis bot chatb compi conso devel gpt hacke inter langu linux llm longe machi
        perso pytho robot role root shell termi uncen unfil unres & act behav from you your""",
    "role_override.authority": """
        admin appro audit autho conse creat debug devel engin grant inspe maint opera owner progr
        testi troub""",
    "exfiltration.secret": """
        acces api auth authe beare colum confi conne crede datab envir passw priva secre sessi sk
        table & displ dump expor expos give key keys leak list outpu print provi revea send share
        show sk tell token varia""",
    "exfiltration.send": """
        appen deliv email exfil forwa leak mail post send submi trans uploa [""",
    "exfiltration.other_users": "accou clien conte custo datab tenan user users vecto",
    "tool_hijack.call": "( _ api code endpo funct plugi scrip shell termi tool",
    "tool_hijack.query": "curl delet inser passw rm selec sudo table wget",
    "tool_hijack.fetch": "169 brows downl fetch load navig open reque visit go & / 169",
    "encoded_payload.order": """
        apply base base6 conve decip decod decry deobf rever rot rot13 trans unhex unscr
        & base base6 compl execu follo obey rot rot13 run""",
}

Needs = tuple[frozenset[str], ...]

NEEDS = MappingProxyType(
    {
        name: tuple(frozenset(group.split()) for group in groups.split("&"))
        for name, groups in _NEEDS.items()
    }
)
"""By a pattern's name: what matches it has one of each of these groups. They are the first letters
of words, five at most, and signs."""

PATTERNS_BY_STEM = MappingProxyType(
    {
        stem: tuple(name for name, groups in NEEDS.items() if stem in groups[0])
        for stem in frozenset[str]().union(*(groups[0] for groups in NEEDS.values()))
    }
)
"""Names of the patterns whose first need a stem meets."""


def beginnings(folded: str) -> frozenset[str]:
    """What `folded` has of first letters and of signs."""
    return frozenset(_BEGINNING.findall(folded))


def possible(found: frozenset[str]) -> set[str]:
    """Names of the patterns that can match where these beginnings were found."""
    names = {name for stem in found & PATTERNS_BY_STEM.keys() for name in PATTERNS_BY_STEM[stem]}
    return {name for name in names if not any(map(found.isdisjoint, NEEDS[name]))}
