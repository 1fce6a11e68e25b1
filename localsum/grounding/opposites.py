"""Words that exclude each other, by hand and compact: opposites, kinds, praise and blame.

Only common meanings that news and reports exchange are listed, and only words that seldom mean something else.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cache

from localsum.grounding.words import listed, stem

# Two sides to a line; the words of one side point the same way. An indented line goes on with the one before.
_OPPOSITES = """
rise rose risen increase grow grew grown growth climb surge soar gain jump boost improve raise higher expand amplify :
 fall fell fallen decrease decline drop shrink shrank shrunk plunge slump lower worsen reduce lose lost diminish
 hinder impair
before : after
first : last final
early earlier : late later
ahead : behind
approve accept support back favor favour endorse allow permit enable encourage :
 reject oppose ban block forbid prohibit prevent criticize criticise
win won winner victory succeed success successful triumph : lose lost loser defeat fail failure unsuccessful
begin began begun start launch resume continue : end stop finish halt cease cancel suspend
open : close shut
buy bought purchase acquire : sell sold
add include join : remove exclude omit leave
profit profitable gain : loss deficit unprofitable
surplus : deficit shortage
strong strengthen strength : weak weaken weakness
large big huge massive major : small tiny minor little
high : low
fast quick rapid accelerate : slow slowly delay
safe safety secure : dangerous danger unsafe risky insecure
good best better positive optimistic excellent : bad poor worst worse negative pessimistic terrible
easy easier simple : hard harder difficult complex complicated
cheap cheaper affordable inexpensive : expensive costly
new novel latest modern recent : old oldest outdated ancient
legal lawful : illegal unlawful
guilty convict : innocent acquit exonerate
arrest detain jail imprison : release free acquit
confirm admit acknowledge : deny refute dispute
agree agreement : disagree disagreement
true correct accurate : false wrong
public publicly : private privately secret
open : proprietary
internal domestic inside : external foreign outside overseas
maximum maximize : minimum minimize
arrive arrival enter : depart departure exit leave
attack invade invasion war : defend retreat peace peaceful ceasefire truce
create build built establish found develop : destroy demolish dismantle abolish
hire recruit employ : fire layoff dismiss sack
import : export
supply : demand
question ask : answer reply
teach taught : learn
borrow : lend lent
deposit : withdraw
tighten escalate intensify : loosen ease relax
protect : endanger threaten expose
appear : disappear vanish
unite merge combine : divide split separate
attract invite welcome : repel deter expel
motivate inspire : demotivate discourage
cooperate collaborate collaboration cooperation : compete competition rivalry
victim : perpetrator attacker
ally friend partner : enemy rival opponent competitor
praise love : hate hatred condemn
rich wealthy : poor
young younger youngest : old older oldest elderly
senior : junior
male man men boy : female woman women girl
husband father son brother : wife mother daughter sister
king prince : queen princess
north northern : south southern
east eastern : west western
direct directly : indirect roundabout
temporary : permanent
voluntary optional : mandatory compulsory
partial partially incomplete : full fully complete comprehensive
same identical : different
near nearby : far distant remote
short shorter shorten : long longer lengthen
deep : shallow
wide broad : narrow
hot warm : cold cool
wet : dry
urban : rural
common usual : rare unusual
primary main : secondary
static constant fixed : dynamic variable
sparse scarce limited : dense abundant plentiful
visible : hidden
famous : obscure
physical offline : digital virtual online
manual manually : automatic automated automatically
single : multiple
local : global worldwide
thrive thriving flourish prosper healthy : struggle troubled ailing bankrupt
keep retain maintain preserve : abandon discard
explicit : implicit
specific : general generic
vertical : horizontal
input : output
encoder encode : decoder decode
training : inference
supervised : unsupervised
hardware : software
upload : download
revenue income earnings : cost expense spending
varied diverse : uniform homogeneous identical
employee worker : employer
teacher : student pupil
doctor : patient
landlord : tenant
plaintiff : defendant
creditor : debtor
sender : recipient receiver
parent : child
buyer customer client : seller vendor supplier
majority : minority
advantage benefit : disadvantage drawback harm
cause : prevent cure
alive survive survivor : die dead death kill
"""

# One kind to a line; synonyms are joined by "=". A sentence that says one of a kind does not say another.
# The first line is that of TIMES.
_KINDS = """
minute hour day week month quarter year=annual=yearly decade century
daily weekly monthly quarterly annual=yearly
red blue green yellow orange purple pink brown black white grey=gray
spring summer autumn=fall winter
monday tuesday wednesday thursday friday saturday sunday
january february march april june july august september october november december
north south east west
dollar euro pound yen yuan rupee
solid liquid gas
gold silver bronze copper iron coal oil diamond lithium uranium
car truck=lorry bus plane=jet=aeroplane=airplane ship=vessel=boat bicycle=bike helicopter
flood collapse=cave-in crash earthquake=quake hurricane=storm=typhoon=cyclone=tornado wildfire=fire=blaze drought
 landslide avalanche explosion=blast
murder=homicide fraud theft=robbery=burglary arson rape bribery=corruption manslaughter kidnapping
knife gun=pistol=rifle=firearm bomb poison
biologist chemist physicist astronomer mathematician economist geologist psychologist sociologist historian
biology chemistry physics astronomy mathematics economics geology psychology
doctor=physician nurse lawyer=attorney teacher=professor engineer farmer soldier journalist=reporter
ceo cfo cto coo chairman=chair=chairwoman founder=co-founder intern spokesman=spokesperson=spokeswoman
mayor governor senator president ambassador
marketing sales finance=accounting engineering procurement
father mother brother sister uncle aunt cousin grandfather grandmother
cat dog horse cow=cattle pig sheep chicken=poultry bird fish
cancer diabetes influenza=flu malaria tuberculosis measles cholera
text image=picture=photo audio=sound=speech video
visual auditory tactile olfactory
word sentence paragraph chapter
hospital school=university=college prison=jail church mosque airport
army=military navy police firefighter
star planet moon galaxy comet asteroid
football=soccer basketball baseball tennis cricket rugby hockey golf
violin piano guitar drum
wheat rice corn=maize
lake river sea ocean
mountain valley desert jungle island
christian muslim jewish hindu buddhist
beer wine coffee tea
gpu cpu tpu
classification regression clustering
breakfast lunch dinner
kilometer=kilometre=km mile metre=meter inch
kilogram=kg gram tonne=ton
gigawatt megawatt kilowatt
"""
TIMES = 0

_NEGATIVE = """bad worse worst poor poorly weak inferior mediocre useless worthless ineffective inefficient unreliable
    unsafe harmful hinder impair worsen undermine damage ruin destroy failure disaster crisis scandal fake vague flawed
    overpriced drawback disadvantage problem abuse manipulate discourage ignore neglect crash chaos terrible awful
    dangerous deteriorate degrade threat corrupt dishonest hostile illegal guilty boring confusing obsolete outdated
    struggle suffer decline collapse bankrupt downturn slump unhappy dissatisfied disappointed disappointing
    unsuccessful unprofessional incompetent condemn criticize criticise denounce mock reject refuse oppose"""
_POSITIVE = """good better best excellent superior great strong robust thrive thriving flourish prosper triumph
    triumphant successful profitable effective efficient reliable safe beneficial popular praise celebrated happy
    satisfied pleased delighted peaceful peace healthy stable secure affordable promising impressive remarkable
    outstanding brilliant wonderful perfect flawless acclaim acclaimed renowned applaud welcome"""
NEGATIVE = frozenset(stem(word) or word for word in listed(_NEGATIVE))
POSITIVE = frozenset(stem(word) or word for word in listed(_POSITIVE))


def _lines(table: str) -> list[str]:
    return table.strip().replace("\n ", " ").splitlines()


@cache
def _opposites() -> tuple[dict[str, set[str]], dict[str, set[str]]]:
    against: dict[str, set[str]] = defaultdict(set)
    along: dict[str, set[str]] = defaultdict(set)
    for line in _lines(_OPPOSITES):
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
    for i, line in enumerate(_lines(_KINDS)):
        for j, member in enumerate(line.split()):
            for word in member.split("="):
                kinds[word].add((i, j))
                kinds[word + "s"].add((i, j))
    return kinds


def opposites(form: str) -> set[str]:
    """The forms that say the contrary of this one. A form is a stem, or a function word as it is."""
    return _opposites()[0].get(form, set())


def allies(form: str) -> set[str]:
    """The forms that point the same way as this one, itself included."""
    return _opposites()[1].get(form, {form})


def rivals(norm: str) -> set[tuple[int, int]]:
    """The (kind, member) pairs a word stands for; two words exclude each other if they share a kind but no pair."""
    return _kinds().get(norm, set())
