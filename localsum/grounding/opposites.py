"""Words that exclude each other: opposites and kinds. A compact list by hand, of common meanings that news and reports swap.

A line of OPPOSITES is two sides; words of one side mean the same direction. A line of KINDS names things of one sort, of which
a sentence that says one does not say another; synonyms are joined by "=".
"""

from __future__ import annotations

from collections import defaultdict
from functools import cache

from localsum.grounding.words import stem

OPPOSITES = """
rise rose risen increase grow grew grown growth climb surge soar gain jump boost improve raise higher expand : fall fell
 fallen decrease decline drop shrink shrank shrunk plunge slump lower worsen reduce lose lost diminish hinder
before : after
first : last final
early earlier : late later
approve accept support back favor favour endorse allow permit enable encourage : reject oppose ban block forbid prohibit prevent
 criticize criticise bar
win won winner victory succeed success successful triumph : lose lost loser defeat fail failure unsuccessful
begin began begun start launch resume continue : end stop finish halt cease cancel suspend
open : close shut
buy bought purchase acquire : sell sold
add include join : remove exclude omit leave
profit profitable gain : loss deficit unprofitable
strong strengthen strength : weak weaken weakness
large big huge massive major great : small tiny minor little
high : low
fast quick rapid accelerate speed : slow slowly delay
safe safety secure : dangerous danger unsafe risky insecure
good great best better positive optimistic excellent : bad poor worst worse negative pessimistic terrible
easy easier simple : hard harder difficult complex complicated
cheap cheaper affordable inexpensive : expensive costly
new novel latest modern recent : old oldest outdated ancient
legal lawful : illegal unlawful
guilty convict : innocent acquit exonerate
arrest detain jail imprison : release free acquit
confirm admit acknowledge : deny refute dispute
agree agreement : disagree disagreement
public publicly : private privately secret
internal domestic inside : external foreign outside overseas
maximum maximize : minimum minimize
arrive arrival enter : depart departure exit leave
attack invade invasion : defend retreat peace peaceful
create build built establish found develop : destroy demolish dismantle abolish
hire recruit employ : fire layoff dismiss sack
import : export
supply : demand
question ask : answer reply
teach taught : learn
borrow : lend lent
victim : perpetrator attacker
ally friend partner : enemy rival opponent competitor
love praise : hate hatred dislike condemn
hope : fear
rich wealthy : poor
young younger youngest : old older oldest elderly
male man men boy boys : female woman women girl girls
husband father son brother : wife mother daughter sister
north northern : south southern
east eastern : west western
left : right
direct directly : indirect roundabout
temporary : permanent
voluntary optional : mandatory compulsory
partial partially incomplete : full fully complete comprehensive
same identical : different
near nearby close : far distant remote
short shorter shorten : long longer lengthen
present attend : absent
light : dark
hot warm : cold cool
natural : artificial synthetic
physical offline : digital virtual online
manual manually : automatic automated automatically
single : multiple
local : global remote worldwide
thrive thriving flourish prosper healthy : struggle troubled ailing bankrupt
keep retain maintain preserve : abandon discard drop
explicit : implicit
specific : general generic
input : output
encoder encode : decoder decode
training : inference
supervised : unsupervised
hardware : software
upload : download
revenue income earnings : cost expense spending
abundant plentiful : scarce limited
diverse varied : uniform homogeneous identical
employee worker : employer
teacher : student pupil
doctor : patient
parent : child
buyer customer client : seller vendor supplier
majority : minority
advantage benefit : disadvantage drawback harm
cause : prevent cure
alive survive survivor live : dead die death kill
"""

KINDS = """
red blue green yellow orange purple pink brown black white grey=gray
minute hour day week month quarter year=annual=yearly decade century
spring summer autumn=fall winter
north south east west
dollar euro pound yen yuan rupee
solid liquid gas
gold silver copper iron coal oil diamond lithium uranium
car=vehicle truck=lorry bus train=railway plane=aircraft=jet=aeroplane=airplane ship=vessel=boat bicycle=bike helicopter
flood collapse=cave-in crash earthquake=quake hurricane=storm=typhoon=cyclone=tornado wildfire=fire=blaze drought landslide avalanche explosion=blast
murder=homicide fraud theft=robbery=burglary arson rape bribery=corruption manslaughter kidnapping
biologist chemist physicist astronomer mathematician economist geologist psychologist sociologist historian
biology chemistry physics astronomy mathematics economics geology psychology
doctor=physician nurse lawyer=attorney teacher=professor engineer farmer soldier pilot judge journalist=reporter
ceo cfo cto=technology coo chairman=chair=chairwoman founder=co-founder intern analyst spokesman=spokesperson=spokeswoman
marketing sales finance=accounting engineering procurement
father mother brother sister uncle aunt cousin grandfather grandmother
cat dog horse cow=cattle pig sheep chicken=poultry bird fish
cancer diabetes influenza=flu malaria tuberculosis measles cholera
text image=picture=photo audio=sound=speech video
visual auditory tactile olfactory
hospital school=university=college prison=jail church mosque airport
army=military navy police firefighters
star planet moon galaxy comet asteroid
football=soccer basketball baseball tennis cricket rugby hockey golf
monday tuesday wednesday thursday friday saturday sunday
january february march april may june july august september october november december
christian muslim jewish hindu buddhist
beer wine coffee tea milk water juice
gpu cpu tpu
train test validation
classification regression clustering
breakfast lunch dinner
daily weekly monthly quarterly annual
kilometer=kilometre=km mile metre=meter foot=feet inch
kilogram=kg gram tonne=ton
gigawatt megawatt kilowatt
arm leg head hand foot eye ear heart lung liver kidney brain
"""

_NEGATIVE = """bad worse worst poor poorly weak inferior mediocre useless worthless ineffective inefficient unreliable unsafe harmful
hinder impair worsen undermine damage ruin destroy failure disaster crisis scandal fake vague flawed overpriced expensive costly
drawback disadvantage problem abuse manipulate discourage ignore neglect crash chaos terrible awful dangerous deteriorate degrade
threat corrupt dishonest angry fear hostile illegal guilty boring confusing obsolete outdated struggle suffer decline collapse
loss lose bankrupt deficit downturn slump unhappy dissatisfied disappointed disappointing unsuccessful unprofessional incompetent
condemn criticize criticise denounce mock reject refuse oppose"""
_POSITIVE = """good better best excellent superior great strong robust thrive thriving flourish prosper triumph triumphant successful
profitable effective efficient reliable safe beneficial popular praise celebrated
happy satisfied pleased delighted peaceful peace healthy stable secure affordable promising impressive remarkable outstanding
brilliant wonderful perfect flawless acclaim acclaimed renowned applaud welcome"""
NEGATIVE = frozenset(stem(word) or word for word in _NEGATIVE.split())
POSITIVE = frozenset(stem(word) or word for word in _POSITIVE.split())


@cache
def _opposites() -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    against: dict[str, set[str]] = defaultdict(set)
    along: dict[str, set[str]] = defaultdict(set)
    for line in OPPOSITES.strip().replace("\n ", " ").splitlines():
        left, right = ({stem(word) or word for word in side.split()} for side in line.split(":"))
        for one, other in ((left, right), (right, left)):
            for word in one:
                against[word] |= other
                along[word] |= one
    for word, others in against.items():
        others -= along[word]
    return against, along


@cache
def _kinds() -> dict[str, set[tuple[int, int]]]:
    kinds: dict[str, set[tuple[int, int]]] = defaultdict(set)
    for i, line in enumerate(KINDS.strip().splitlines()):
        for j, member in enumerate(line.split()):
            for word in member.split("="):
                kinds[word].add((i, j))
                kinds[word + "s"].add((i, j))
    return kinds


def opposites(stemmed: str) -> set[str]:
    """Stems that say the contrary of this one."""
    return _opposites()[0].get(stemmed, set())


def allies(stemmed: str) -> set[str]:
    """Stems that point the same way as this one, itself included."""
    return _opposites()[1].get(stemmed, {stemmed})


def rivals(norm: str) -> set[tuple[int, int]]:
    """The (kind, member) pairs a word stands for; two words exclude each other if they share a kind but no pair."""
    return _kinds().get(norm, set())
