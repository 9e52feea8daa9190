"""Words that the light check of support knows: denials, quantifiers, opposites, names.

Written for this project. A list holds lower-case words; `OPPOSITES` maps a word to the words that
say the contrary of it.
"""

from __future__ import annotations

from collections import defaultdict


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


NEGATIONS = _words(
    "no not never none nobody nothing neither nor cannot without nowhere hardly scarcely"
)

DENIALS = _words("deny denies denied doubt doubts false untrue wrong mistaken error lie")
"""Words that deny what follows them."""

DENYING = {
    **dict.fromkeys(_words("fail fails failed failing refuse refuses refused refusing"), "to"),
    **dict.fromkeys(_words("decline declines declined unable powerless"), "to"),
    "far": "from",
    "instead": "of",
    "incapable": "of",
}
"""Words that deny what follows them where another stands between: "fails to", "far from"."""

DEGREES = _words("yet longer more")
"""What may stand between a negation and what it denies: "not yet come", "no longer goes"."""

FRAMES = _words("true right correct case sure said think believe mean claim")
"""What a negation before "that" denies in name: "not true that he came" denies the coming."""

FORMS_OF_BE = _words("am are be been being get gets got is was were")

FUNCTION_WORDS = NEGATIONS | _words(
    """a about above according account after again against all also among an and another any are as
    at author be because been before being below between both but by can could did do does doing
    done down during each either even every few for from had has have having he her here hers
    herself him himself his how i if in into is it its itself just least less many may me might
    more most much must my need note notes of off on once one ones only or other ought our ours
    ourselves out over own said same say says shall she should since so some such than that the
    their theirs them themselves then there these they thing things this those though through till
    to too under until unto up upon us very was we were what when where whether which while who
    whom whose why will with would writer yet you your yours"""
)
"""Words that carry no content of their own; a note and its writer are what claims speak of."""

CLAUSE_STARTS = _words(
    """and as because but for if since so that though till unless until when which while whereas
    who yet although"""
)

SCOPE_ENDS = _words("although because but except though yet")
"""Words up to which a negation reaches."""

SUBJECTS = _words("he i it she the then there they this we you")
"""Words that begin a clause of its own after a comma."""

NEGATIVE_PREFIXES = ("un", "dis", "in", "im", "ir", "il", "non", "mis")

UNIVERSALS = _words(
    """all altogether always any anybody anyone certainly completely each entirely every everybody
    everyone everything exception forever fully never no nobody none nothing perfectly solely
    utterly whatever whatsoever whenever wherever whoever whole wholly"""
) - {"no"}

LIMITS = _words(
    """almost common commonly few frequently generally half hardly many most mostly nearly often
    oft partly perhaps probably rarely scarcely seldom several some sometimes usually"""
)
"""Words that say: not of all, not always, not surely."""

DIVINE_NAMES = _words(
    """almighty christ creator divine father ghost god holy jehovah jesus king lord maker messiah
    redeemer saviour son spirit"""
)
"""Each may stand for another."""

BIBLICAL_NAMES = _words(
    """aaron abel abraham absalom adam ahab amos ammon antioch assyria athens babylon balaam
    barnabas bethany bethel bethlehem boaz caesar cain caleb canaan capernaum corinth cornelius
    cyrus damascus daniel darius david deborah edom egypt eli elijah elisha enoch ephesus ephraim
    esau esther ezekiel ezra festus gabriel galilee gideon goliath habakkuk hagar haggai haman
    hannah herod hezekiah hosea huldah isaac isaiah ishmael israel jacob james jehoshaphat jehu
    jephthah jeremiah jericho jeroboam jerusalem jesse jethro jezebel joab job joel john jonah
    jonathan jordan joseph joshua josiah judah judas judea laban lazarus leah lot luke macedonia
    malachi manasseh mark martha mary matthew micah midian miriam moab mordecai moses naaman nahum
    naomi nathan nathanael nehemiah nineveh noah obadiah paul persia peter pharaoh philip philistia
    pilate rachel rebekah reuben rome ruth samaria samson samuel sarah saul sennacherib shem silas
    simeon simon sinai sodom solomon stephen syria tarshish thomas timothy titus tyre zacharias
    zechariah zedekiah zerubbabel zion"""
)
"""Names where they begin a sentence, too, where a capital makes none."""

_IRREGULAR = """arise/arose/arisen bear/bore/borne/born beat/beaten become/became begin/began/begun
bend/bent bind/bound bite/bit/bitten blow/blew/blown break/broke/broken breed/bred bring/brought
build/built burn/burnt buy/bought catch/caught choose/chose/chosen cleave/clave/cloven come/came
deal/dealt dig/dug die/died/dying/dies draw/drew/drawn drink/drank/drunk drive/drove/driven
eat/ate/eaten fall/fell/fallen feed/fed feel/felt fight/fought find/found flee/fled fly/flew/flown
forget/forgot/forgotten forgive/forgave/forgiven forsake/forsook/forsaken give/gave/given
go/went/gone grow/grew/grown hang/hung hear/heard hide/hid/hidden hold/held keep/kept kneel/knelt
know/knew/known lay/laid lead/led learn/learnt leave/left lend/lent lie/lay/lain lose/lost
make/made meet/met pay/paid ride/rode/ridden rise/rose/risen run/ran see/saw/seen seek/sought
sell/sold send/sent shake/shook/shaken shine/shone show/shown/shewed shrink/shrank/shrunk
sing/sang/sung sink/sank/sunk sit/sat slay/slew/slain sleep/slept smite/smote/smitten sow/sown
speak/spoke/spake/spoken spend/spent stand/stood steal/stole/stolen strike/struck strive/strove
swear/swore/sworn sweep/swept swim/swam take/took/taken teach/taught tear/tore/torn tell/told
think/thought throw/threw/thrown tread/trod/trodden understand/understood wear/wore/worn
weave/wove/woven weep/wept win/won wind/wound write/wrote/written child/children man/men foot/feet
brother/brethren"""
BASE_FORMS = {
    form: forms.split("/")[0] for forms in _IRREGULAR.split() for form in forms.split("/")[1:]
}
"""The base of an irregular form."""

_PAIRS = """
good/bad against/favour peace/wrath surplus/short good/evil right/wrong true/false wise/foolish
wisdom/folly rich/poor riches/poverty strong/weak strength/weakness great/small great/little
large/small big/small high/low long/short old/new old/young early/late first/last before/after
begin/end begin/cease beginning/end open/shut open/close near/far full/empty light/dark
light/darkness light/heavy life/death live/die alive/dead love/hate love/hatred friend/enemy
friend/foe joy/sorrow joy/grief glad/sad happy/miserable happiness/misery peace/war rest/labour
hope/despair faith/unbelief believe/doubt believe/disbelieve trust/distrust obey/disobey
obedience/disobedience accept/reject accept/refuse receive/refuse allow/forbid permit/forbid
command/forbid give/take give/withhold keep/lose keep/break find/lose win/lose gain/lose gain/loss
save/destroy build/destroy bless/curse blessing/curse reward/punish reward/punishment praise/blame
praise/rebuke honour/shame honour/disgrace honour/despise exalt/humble exalt/abase humble/proud
humility/pride raise/lower rise/fall rise/sink up/down increase/decrease increase/diminish
more/less more/fewer most/least many/few much/little all/none always/never often/seldom
often/rarely everything/nothing everyone/nobody come/go arrive/leave enter/leave follow/forsake
cleave/forsake stay/leave stay/depart remain/depart join/separate join/part unite/divide
gather/scatter help/hinder help/hurt heal/wound health/sickness healthy/sick well/ill sick/well
clean/unclean clean/dirty pure/impure holy/unholy holy/profane godly/ungodly righteous/wicked
righteousness/wickedness righteous/unrighteous just/unjust innocent/guilty pardon/condemn
forgive/condemn acquit/condemn mercy/wrath mercy/judgment grace/wrath kind/cruel kindness/cruelty
gentle/harsh gentle/rough mild/severe patient/impatient patience/impatience calm/angry quiet/loud
silent/speak silence/speech remember/forget know/ignorant knowledge/ignorance learn/forget
seek/avoid seek/shun love/fear courage/fear bold/timid brave/cowardly confidence/fear
sure/doubtful certain/uncertain certain/doubtful possible/impossible able/unable easy/hard
easy/difficult plain/obscure clear/dark clear/obscure public/private publicly/secretly
public/secret open/secret hide/reveal hide/show conceal/reveal present/absent same/different
like/unlike equal/unequal agree/disagree agree/differ approve/condemn approve/disapprove
please/displease please/offend willing/unwilling willingly/unwillingly voluntary/forced free/bound
freedom/bondage liberty/bondage free/slave freedom/slavery safe/danger safety/danger secure/danger
useful/useless profit/loss profitable/unprofitable fruitful/barren worthy/unworthy
precious/worthless perfect/imperfect whole/broken temporary/eternal temporal/eternal
temporal/spiritual earthly/heavenly heaven/earth heaven/hell carnal/spiritual outward/inward
inside/outside within/without inner/outer natural/supernatural human/divine sacred/common
believer/unbeliever saint/sinner master/servant king/subject husband/wife father/mother
son/daughter brother/sister man/woman male/female parent/child teacher/pupil north/south east/west
left/right day/night morning/evening morning/night summer/winter hot/cold warm/cold wet/dry
rain/drought sweet/bitter beautiful/ugly fine/coarse smooth/rough soft/hard soft/loud thick/thin
deep/shallow wide/narrow broad/narrow fast/slow quick/slow quickly/slowly soon/late past/future
former/latter ancient/modern cheap/expensive cheap/dear buy/sell lend/borrow earn/spend save/spend
shortage/surplus lack/abundance scarce/plentiful scarce/abundant want/plenty plenty/famine
feast/fast eat/fast work/rest work/idle diligent/idle diligent/slothful active/idle busy/idle
sleep/wake asleep/awake stand/fall stand/sit sit/rise stop/start start/finish success/failure
succeed/fail prosper/fail prosperity/adversity victory/defeat conquer/yield overcome/yield
resist/yield attack/defend defend/betray faithful/unfaithful faithful/treacherous
loyal/treacherous sincere/hypocritical sincerity/hypocrisy honest/dishonest truth/lie
truth/falsehood truth/error own/deny confess/deny acknowledge/deny affirm/deny prove/disprove
confirm/deny encourage/discourage comfort/distress comfort/trouble console/distress
delight/disgust like/dislike desire/dread welcome/refuse admit/exclude include/exclude
include/omit add/remove add/subtract lengthen/shorten multiply/diminish soften/harden tender/hard
tender/hardened tender/sturdy slight/utter slight/great supreme/inferior superior/inferior
above/below over/under top/bottom front/behind forward/backward advance/retreat ascend/descend
push/pull lead/follow send/receive send/keep export/import question/answer ask/answer teach/learn
cause/prevent produce/prevent promote/hinder quicken/deaden kindle/quench restore/ruin
repair/break preserve/destroy protect/harm protect/expose deliver/enslave release/bind loose/bind
loose/tighten fasten/loosen rich/destitute satisfied/dissatisfied content/discontented
grateful/ungrateful thankful/unthankful thankful/ungrateful merciful/merciless careful/careless
powerful/powerless fearful/fearless hopeful/hopeless guiltless/guilty sinful/sinless
perish/survive perish/live die/survive lawful/unlawful known/unknown visible/invisible seen/unseen
mortal/immortal finite/infinite limited/unlimited expected/unexpected partial/full partially/fully
partly/wholly partly/fully literal/figurative special/common particular/general direct/indirect
necessary/unnecessary necessary/needless sufficient/insufficient enough/insufficient
convenient/inconvenient proper/improper wholesome/harmful advantage/disadvantage better/worse
best/worst improve/worsen majority/minority maximum/minimum major/minor elder/younger
older/younger native/foreign native/stranger friendliness/hostility friendly/hostile
simple/complex simple/subtle prudent/rash prudence/rashness moderate/excessive sober/drunk
modest/vain generous/selfish generous/covetous liberal/covetous charity/selfishness noble/base
noble/mean dignity/shame glory/shame glory/disgrace immediate/distant immediately/later
suddenly/gradually sudden/gradual frequent/rare usual/unusual ordinary/extraordinary common/rare
regular/irregular constant/changing firm/wavering steadfast/wavering stable/unstable fixed/movable
permanent/temporary lasting/fleeting lasting/passing
"""


def _opposites() -> dict[str, frozenset[str]]:
    contraries = defaultdict(set)
    for pair in _PAIRS.split():
        one, other = pair.split("/")
        contraries[one].add(other)
        contraries[other].add(one)
    return {word: frozenset(others) for word, others in contraries.items()}


OPPOSITES = _opposites()
