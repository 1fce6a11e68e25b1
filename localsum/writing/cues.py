"""Words by which English sentences show what they do: lead on, look ahead, call for action, advertise. Patterns only.

All are anchored or made of fixed words, so each is linear in the sentence. In other languages they simply never match,
and extraction falls back on what sentences have in common.
"""

from __future__ import annotations

import re

_I = re.IGNORECASE

# A sentence that opens by pointing back cannot stand alone.
ANAPHORIC = re.compile(
    r"(?:this|that|these|those|together,? (?:that|they|these)|it|its|it['’]s|they|they['’](?:re|ve|ll|d)"
    r"|their|them|he|he['’](?:s|d|ll)|she"
    r"|she['’](?:s|d|ll)|his|her|hers|such|so|another|both|neither"
    r"|each(?= (?:of|has|had|is|was|can|will|one|other)\b)|others?|either|here|there|then|yet"
    r"|for example|for instance|which|one (?:of (?:them|these|those)|reason|example)|as such|in (?:this|that|these"
    r"|those|such)|at (?:this|that)|to (?:this|that|do so)|with (?:this|that)|by (?:this|that)|of (?:these|those)"
    r"|because of (?:this|that)|(?:some|all|most|none|many|several|few|half|\d[\d,.]*|one|two"
    r"|three|four|five|six|seven|eight|nine|ten|dozens|hundreds) of (?:these|those|them|this|it)"
    r"|(?:some|many|several|few|two|three|four|five|six|dozens of|hundreds of) others?|do(?:es"
    r"|ing)? so|likewise|similarly|conversely|otherwise|instead"
    r"|the (?:other|second|third|fourth|latter|former|next|last|final) (?:thing|one|point|reason|lesson|question"
    r"|half))\b",
    _I,
)
# One that opens with something spoken of before; at the head of a paragraph it may pass.
DEFINITE = re.compile(
    r"the (?:former|latter|same|other|second|third|next|result|move|two|pair|company|firm|group"
    r"|study|report|researchers|authors|team"
    r"|man|woman|suspect|victim|ruling|decision|deal|law|bill|plan|change|effect|problem|reason|answer|idea|rest"
    r"|system|process)\b",
    _I,
)
# A pronoun as the subject of an early clause, with nothing named before it.
PRONOUN_SUBJECT = re.compile(
    r"\b(?:it|he|she|they|neither|both|all (?:two|three|four|five|of (?:them|these|those))|these"
    r"|those)\b(?!['’]s (?:not )?(?:clear|hard|easy|time))"
)
# Something spoken of before, further on: "a partial step for this", "eleven of those".
POINTING_INSIDE = re.compile(
    r".{0,55}?\b(?:(?:this|these|those|such)\s(?!(?:weeks?|months?|years?|morning|afternoon|evening|summer|winter"
    r"|spring|autumn|fall|times?|days?|century|decade|season|is|was|means|may|might|could|would|will|can|has|had|who|that"
    r"|with|in|of|as|a|an|to)\b)[a-z]|(?:of|for|in|by|from|with|about|to) (?:this|these|those|them)(?=[\s,.;:])"
    r"|the same thing)"
)
# The same, as a bare noun: "The appeal was brought by …". Of what everybody knows, there is one.
BARE = re.compile(
    r"The (?!(?:government|president|world|internet|economy|police|markets?|public|pope|army|military|web|industry"
    r"|weather|question|news|prices?|costs?|aims?|goals?|catch|risks?|difference|lesson|gain|trick|point)\b)"
    r"[a-z-]+ (?:was|were|is|are|has|have|had|will|would|could|can|may|might"
    r"|[a-z]{2,}(?:es|[b-rt-z]s|ed))\b"
)
PERSON = re.compile(r"(?:and |but |so )?(?:he|she|his|her)\b", _I)
# An order about something spoken of before: "View them as partners".
POINTING_OBJECT = re.compile(r"(?:do not |don['’]t )?[a-z]+ (?:it|them|this|these|those|him|her)\b", _I)
# "MADRID, Nov 3 (Reuters) — ", "KARVE, 9 February - ", "(CNN) -- ": where a report comes from.
DATELINE = re.compile(
    r"(?:[A-ZÀ-ÖØ-Þ][A-ZÀ-ÖØ-Þ.'’-]+(?:[ ,]{1,2}[A-ZÀ-ÖØ-Þ][\w.'’-]*){0,4}"
    r"(?:[ ,]{1,2}\d{1,2}(?: [A-Z][a-z]{2,8}\.?)?(?:,? \d{4})?)?"
    r"\s?(?:\([^()\n]{2,40}\))?"
    r"|\([A-Z][^()\n]{1,40}\))\s?(?:--?|—|–)\s+(?=[A-Z\d“\"‘'])"
)
# "Sector B: Requiring models of its own.": a piece of a list.
LABELLED_PIECE = re.compile(r"[^:.]{3,60}:\s+\w+(?:ing|ed)\b")
# What opens so is no claim before its main clause has come: "In a time when cars grow".
SUBORDINATE = re.compile(
    r"(?:if|because|when|while|although|except|since|unless|as|among|where|whether|now that|speaking|following|after"
    r"|before|(?:in|on|at|during) (?:\S+ ){1,4}(?:when|where))\b",
    _I,
)
# What may be taken off the front of a sentence without changing what it claims.
CONNECTIVE = re.compile(
    r"(?:and|but|so|also|however|moreover|furthermore|additionally|in addition|meanwhile|still|nonetheless"
    r"|nevertheless|indeed|in fact|of course|to be sure|in short|in other words|again|besides|plus|overall|similarly"
    r"|likewise|well|to be clear|to summarize|regardless|in the meantime|as it happens|as a reminder|notably"
    r"|importantly|interestingly|crucially|in particular|more importantly|at the same time|on the other hand"
    r"|that said|then again|first|firstly|second|secondly|third|thirdly|finally|lastly|for (?:example|instance)"
    r"|anyway|okay|ok|yeah|yes|no|right|look|now|actually|basically|honestly"
    r"|frankly|sure|here['’]s the thing)(?:,\s+|\s+[—–-]\s+)|(?:and|but"
    r"|or|yet|so(?!\s(?:long|far|much|many|called|that|too|do|does|is|are|was|were|it|they|he"
    r"|she)\b))\s+(?=[a-z\d“\"'‘])",
    _I,
)
# A sentence, or its last clause, that says what follows.
EXPLICIT_CONSEQUENCE = re.compile(
    r"(?:(?:and\s+)?(?:that|this|it|which)(?:,\s+in turn,)?\s+(?:also\s+)?(?:means?|would mean|could mean|will mean"
    r"|implies|suggests)(?:\s+that)?\s+|(?:as a (?:result|consequence)|consequently|therefore|thus|hence"
    r"|the (?:result|effect|upshot|consequence) is(?:\s+that)?),?\s+)",
    _I,
)
# The sentence before, as the subject of what follows from it, or its condition: "This approach prevents …", "The move
# could …", "If it fails to, …".
FOLLOWS_FROM_IT = re.compile(
    r"if (?:it|they|that|this|not|so|both|none|neither|either|all (?:of them|two|three|four|five|six))\b.{0,60}, "
    r"|(?:(?:this|that|these|such)(?: (?!posts?|articles?|reports?|papers?|books?|episodes?|pieces?|threads?"
    r"|sections?)[a-z]+)?"
    r"|the (?:move|change|deal|decision|plan|law|ruling|bill|result|effect))"
    r" (?:also |in turn |\w+ly )?(?:(?:would|could|may|might|will)(?! (?:already|be|have)\b)|means?|meant|allows?"
    r"|allowed|enables?|enabled|prevents?|leads?|led|helps?|helped|makes?|made|forces?|forced|lets?|reduces?|reduced|raises?"
    r"|raised|cuts?|marks|marked|puts?|gives?|gave|leaves?|left|opens?|opened|threatens?|saves?|saved|creates?|created"
    r"|drives?|drove|is to say|implies|suggests)\b",
    _I,
)
# A clause that tells what follows, at the end of a sentence: ", which could leave banks exposed".
CONSEQUENCE_CLAUSE = re.compile(
    r",\s+(?:which\s+(?=(?:(?:would|could|may|might|will)(?! (?:be|have)\b)|means?(?! whatever)|allows?"
    r"|enables?|makes?|forces?|lets?|helps?|leads?|raises?|reduces?|cuts?|leaves?|opens?|threatens?)\b)|(?=(?:making|allowing|enabling|forcing"
    r"|leaving|giving|raising|reducing|cutting|saving|putting|letting|helping|leading|opening|threatening|meaning"
    r"|freeing|costing|preventing|creating|driving)\b)|so\s+(?=that\b))"
)
# Somebody ought to do something.
_ACTOR = r"(?:should|must|ought to|needs? to)"
_NOT_ADVICE = (
    r"(?!\s+(?:\w+ly\s+|still\s+|also\s+|now\s+)?(?:have|be (?:expected|noted|said|locked|used to)|be (?!\w+(?:ed|en"
    r"|ade|uilt|ept|ent|ought)\b)|arrive|come|become|look|sound|feel|help|get|happen|work|see|appear|begin|cost|take"
    r"|know|admit|say|remember|go without|mean|make it|evolve|improve)\b)"
)
DIRECTIVE = re.compile(
    rf"(?<!\bI )(?<!n't )(?<!n’t )(?<!not )(?<!never )(?<!to )(?<!the )(?<!a )(?<!no )(?<!of )(?<!who )(?<!that )"
    rf"\b{_ACTOR}{_NOT_ADVICE}\s+(?:not\s+|also\s+|now\s+|therefore\s+|never\s+|always\s+)?[a-z]{{2,}}",
    _I,
)
RECOMMENDS = re.compile(
    r"\b(?:recommend(?:s|ed|ing)?|urge[sd]?|urging|advise[sd]?|advising|call(?:s|ed|ing)? (?:on|for)(?! more\W*$)"
    r"|encourage[sd]?"
    r"|it is time to|worth (?:trying|checking|testing|reading)|best practice)\b",
    _I,
)
# An imperative: a bare verb at the head. Verbs that are nouns as often (plan, design, report) are left out.
IMPERATIVE = re.compile(
    r"(?:please\s+)?(?:do not|don['’]t|never|always|begin|consider|use|avoid|ensure|make sure|check|try|keep|build"
    r"|treat|review|watch|update|install|enable|disable|choose|ask|read|learn|write|test|measure|verify|invest"
    r"|prepare|adopt|replace|remove|add|stop|think|remember|assume|focus on|look for|look at|view them"
    r"|understand|establish|require|document|audit|migrate|upgrade|rotate|revoke|train|hire|assign|negotiate|budget"
    r"|continue to|prioriti[sz]e|encourage|foster|convene|strengthen|leverage|partner with|expand|promote"
    r"|start|pick|prefer|pay attention|put|move|switch|track|let|give|set up(?! by\b)|be)\s+(?=[a-z“\"'‘`])",
    _I,
)
_RHETORICAL = re.compile(
    r"\bwe (?:must|need to|should|have to|ought to)\b(?:\s\w+)?\s(?:look|examine|understand|analy[sz]e|consider"
    r"|recogni[sz]e|remember|note|ask|see|know|acknowledge|distinguish|turn|begin|start|go back)\b",
    _I,
)
# What may stand between two words that are looked for together: "we also show".
_ADVERB = r"\s(?:(?:also|then|further|first|thus|now|therefore|\w{3,12}ly)\s)?"
_LABEL = re.compile(r"[A-Z][\w ]{2,30}:\s+(?=[A-Z])")
_NOT_IMPERATIVE = re.compile(
    r"(?:let me|let us|let['’]s|be (?:that|it)|keep in mind|never (?:before|mind|have|has|had)"
    r"|always (?:is|was|has|had|a|the)|assume"
    r"|(?:do not|don['’]t) (?:worry|panic|fret|get me wrong|be surprised|hold your breath)"
    r"|think of .{2,60}\s(?:like|as)"
    # A noun: "Stop hooks are praised", "Test results show".
    r"|(?:stop|test|use|build|track|train|review|measure|audit|budget|switch|move|start|check|set up|document)"
    r" (?!what|that|this|it|whether|who|how|where)[\w-]+ (?:are|is|was|were|has|have|had|can|could|will|would|may"
    r"|might|allows?|shows?|showed|suggests?|fell|rose)"
    # An example or a condition, in the form of an order: "Add a motor, and the car flies."
    r"|(?:consider|take|think of|remember) (?:(?:the|an?|this|that|these|one|our|your)\s(?:\w+\s)?)?(?:examples?"
    r"|cases?|facts?|following|scenarios?|situations?|settings?|problems?)|[^.;]{3,80}(?:, and (?:the|it|you|we|they)"
    r"|\sand (?:you|it|we|they)['’](?:ll|d|ve|re))(?=\s)"
    # A name: "Keep the Beet Road said it would file suit."
    r"|\w+ (?:the |our |for |of )?(?-i:[A-Z][\w’'-]+ )+(?:said|says|told|argued|warned|announced))\b",
    _I,
)
# "The context they need to do it": what is needed for something, and no advice.
_NEEDED_FOR = re.compile(
    r"\b(?:tools?|context|information|everything|anything|things?|data|resources?|skills?|help|support|way|ways|money"
    r"|time|all|what|whatever|features?|space|freedom|knowledge|details?|power|insights?|code|work) (?:that )?"
    r"(?:they|you|we|it|he|she|\w+s|(?:the )?(?:\w+ ){1,3}) ?(?:\w+ly )?needs? to\b"
    r"|\b(?!(?:and|but|or|so|if|when|because|that|as|until|once|where|while|though|unless|since|first|then|now|also|still"
    r"|here|today)\b)[a-z]+ (?:they|you) need to\b|\b(?:will|would) (?:\w+ )?(?:need|have) to\b"
    r"|\bwhether .{3,40} should\b"
    r"|^in an? [^,]{3,60}, an? \w+ (?:needs to|must)\b",
    _I,
)
# What somebody would say, and does not; what only some believe, or somebody heard; what a pitch cries.
_NOT_SAID = re.compile(
    r"\bif I (?:were|was)\b|\bI(?:['’]d| would| could| might)\b(?! (?:recommend|advise|suggest|urge|encourage))"
    r"|^to (?:some|many|others)\b|\bsome (?:people |of us |critics )?(?:argue|say|think|claim|believe|insist)\b"
    r"|\bI(?:['’]ve| have) heard\b|\b(?:what|which) (?:\w+ ){1,3}must\b|!$"
    # What a court or a contract has settled.
    r"|\b(?:ruled|held|decided|agreed) that\b.{0,120}\b(?:must|ha[sd] to|have to)\b"
    r"|^under (?:the |its |new |these |those )?(?:conditions|terms|rules|law|agreement|contract|deal|settlement)\b",
    _I,
)
# What people are asked in a survey is nobody's advice.
_POLLED = re.compile(
    r"\b(?:percent|per cent|%|majority|half|third|quarter|voters|respondents|most people)\b[^.]{0,60}\b(?:say|said"
    r"|believe|believed|think|thought|agree|agreed|feel|felt|want|wanted)\b",
    _I,
)
# A claim worth being an insight: it compares, counts or explains.
CLAIM = re.compile(
    r"\b(?:because|more|less|fewer|most|least|first|largest|biggest|fastest|cheapest|only|than|found|finds|shows?"
    r"|showed|shown|reveals?|revealed|means|rather than|instead of|despite|although|unlike|compared|according"
    r"|doubled|tripled|halved|grew|fell|rose|shift|now|no longer|record|key|percent|per cent|million|billion"
    r"|trillion)\b|%|\$|€|£",
    _I,
)
# The closing of an article.
CLOSING = re.compile(
    r"\b(?:in (?:conclusion|summary|the end|short)|ultimately|overall|to conclude|going forward|looking ahead"
    r"|the (?:future|next|lesson|takeaway|bottom line|question)|for now|will|remains?|still|next|must|should|years?"
    r"|ahead)\b",
    _I,
)
# An advertisement: what stands around it is one too.
SPONSOR = re.compile(
    r"\b(?:(?:episode|issue|show|newsletter)\b.{0,40}\b(?:supported|made possible) by"
    r"|sponsor(?:s|ed|ing)?|brought to you|promo code|discount code|percent off|free trial"
    r"|head (?:over )?to \S+\.\w+|our friends at|early[- ]bird|register (?:now|here|today)"
    r"|free (?:live |online )*(?:workshop|webinar|conference))\b|% off\b",
    _I,
)
# What leads on to one.
ANNOUNCED = re.compile(
    r"(?=.{1,100}$)(?:.{0,40}\b(?:time for|words? from|messages? from)\b.{0,40}\bsponsor"
    r"|(?:our |today['’]s |this week['’]s )?sponsor(?:s|ed(?: \w+)?)?[:.!]*$"
    r"|(?:a )?(?:(?:partner|paid|promoted) (?:message|content|post|partnership)"
    r"|(?:message|word) from (?:our |a )?partners?)[:.!]*$)",
    _I,
)
# Talk about the text itself.
ROADMAP = re.compile(
    r"\b(?:in this|linked) (?:\w+ )?(?:post|article|piece|issue|episode|newsletter|talk|thread|video)\b"
    r"|\bwe(?:['’]ll| will| must| can"
    r"| need to)? (?:look|explore|examine|dive|discuss|cover|unpack|turn)\b|\blet['’]s\b|\bas (?:mentioned|noted"
    r"|discussed)\b|\b(?:above|below)\b[,.:]",
    _I,
)
# Speech as it is transcribed.
FILLER = re.compile(r"\{[a-z]{3,20}\}|(?<![\w'’-])(?:u[hm]+|mm+(?:-?hmm+)?|hmm+|erm?|huh)(?![\w'’-])(?:\s*,)?", _I)
ADDRESS = re.compile(
    r"(?:^|(?<=,))\s?(?:Mr\.?|Mrs\.?|Ms\.?|Madam)\s?(?:Chair|Speaker|President)(?:m[ae]n|woman|person)?,\s?"
)
# How a meeting is led, or what somebody says of the microphone.
PROCEDURE = re.compile(
    r"\b(?:we(?:['’]ll| will| can| are going to)?|let us|let me|I(?:['’]ll| will)?) (?:now )?(?:proceed"
    r"|continue(?!\sto)|move on|go (?:on|ahead)|pause|suspend)\b|\b(?:be (?:very |perfectly |absolutely )?clear"
    r"|my colleague|for (?:his|her|the|that|your) question|remind (?:members|everyone|everybody)|point of order"
    r"|next slide|hear me|unmute|share my screen|microphone|presentations?|my findings"
    r"|(?:this|the)(?: \w+){0,2} meeting|petitions?)\b|^\w+, (?:in your|you|your|do you|did you|can you|tell us)\b",
    _I,
)
# A word said twice: "the the".
STUTTER = re.compile(r"\b(\w+(?:['’]\w+)?)(?:,? \1\b)+", _I)
# "(see Figure 2)", "[12]": they point at what the reader of a brief does not have.
REFERENCE = re.compile(
    r"\s?\((?:see |cf\.? |search query|fig(?:ure|\.)?\s?\d|table \d|section \d|appendix|eq(?:uation|\.)?\s?\d)"
    r"[^()]{0,40}\)"
    r"|\s?\[\d{1,3}(?:[,–-]\s?\d{1,3})*\]",
    _I,
)
# Not about the subject: greetings, adverts, calls to subscribe, credits, navigation.
NOISE = re.compile(
    r"\b(?:subscrib\w+|sign(?:ing)? up|newsletter|unsubscribe|podcasts?\b.{0,40}\b(?:app|listen|episode)|follow us"
    r"|follow me|share this|read more|click here|view (?:this|in|online)|get (?:the )?(?:latest|news)\b"
    r"|all rights reserved|copyright ©"
    r"|\((?:pictured|left|right|above|below|cent(?:re|er)|inset"
    r"|(?:upper|lower|middle|top|bottom) (?:row|panel))(?:,? \w+)?\)"
    r"|(?:are|is) (?:shown|pictured|seen) here|learn more at|follow the link"
    r"|give (?:it|this|that|these|those|them) an? (?:listen|look|read|watch|try|whirl)"
    r"|(?:check|read|see|watch)(?: out)? (?:his|her|their|my|our) (?:\w+ )?(?:article|post|essay|thread|video|talk"
    r"|blog)"
    r"|pictured (?:with|in|at|on|above|left|right)\b"
    r"|photo(?:graph)? by|image (?:credit|source|via)|getty images|advertis\w+|sponsor\w*|brought to you|promo code"
    r"|discount code|coupon|use (?:the )?code|% off|percent off|free trial|leave (?:us )?a (?:\S+ )?review"
    r"|star review|rate us|patreon|merch|swag|thanks (?:to|again|for)|thank you|appreciate you"
    r"|support(?:ing)? (?:our|my) work|paid sub\w*|referrals?\b|(?:podcast|audio|video|code|slides?) (?:is"
    r"|are) (?:at|on|here)|shout ?outs?|talk to you (?:again|soon|next)|see you (?:again|next|soon|then)"
    r"|have a (?:great|good|nice)|welcome (?:back|to)|good (?:morning|evening|afternoon)|hello(?:,| and| everyone"
    r"| friends)|hi (?:everyone|there|all)|what(?:['’]s)? up|my name is|I['’]m your host"
    r"|let['’]s (?:get (?:right )?into|do it|jump|dive)|stay tuned|episodes? (?:coming (?:up|down)|this week)"
    r"|coming up (?:this|next|for you) (?:\w+ )?week|hear from us|last week we published|icymi"
    r"|that['’]s (?:the|all the) (?:news|time)|we['’](?:re|ll be) back (?:on|next|in|tomorrow)"
    r"|since our last (?:edition|issue|letter|post)|hello from"
    r"|after the break|right after this"
    r"|cookies?\b.{0,30}\b(?:accept|policy|consent)|privacy policy|terms of (?:use|service)\b.{0,20}\bapply"
    r"|(?:use|download) \w+ browser|accessible video player"
    r"|table of contents|comments? (?:below|section)|link(?:s)? in the (?:show notes|description)|show notes"
    r"|full (?:disclosure|story|article) (?:here|at|below)|watch the video|in case you missed"
    r"|was originally published|this (?:post|article|newsletter|episode|issue) (?:is|was|covers|contains)|edited by"
    r"|(?:our|the) (?:editor|producer|host|music) is\b|(?:produced|hosted|mixed) by|views (?:and opinions )?expressed"
    r"|delivered (?:to|through|straight to) your|letters to the editor"
    r"|what you think about this|(?:visit|find|like|join) (?:us|\w+) on (?:facebook|twitter"
    r"|instagram|linkedin|mastodon|bluesky)|send this (?:page|story)|editor['’]s note|via email|share on"
    r"|reporting by|correction:|reply to this (?:mail|email|letter|newsletter|message))\b"
    r"|^FILE\b|\bfile photo|\bAP Photo|^\(also see"
    r"|\b(?:I['’]m|this is)\b.{3,60}\b(?:news|podcast|show|episode|issue)\b.{0,30}\b(?:week|day|number|#)"
    r"|<\|[^|\n]{1,40}\|?>|</?(?:start|end)_of_\w{1,10}>|\b(?:ignore"
    r"|disregard|forget) (?:all |your |the |any |previous |prior )+instructions\b|https?://|www\.|\S@\S+\.\w",
    _I,
)
# Headings of what is no part of the argument.
APPENDIX = re.compile(
    r"\W*(?:(?:housekeeping|references|bibliography|(?:useful |more |other )?links"
    r"|(?:further|recommended|additional) reading"
    r"|related(?: (?:posts?|links?|articles?|stories|work))?|acknowledge?ments?|about the authors?|credits|sponsors?"
    r"|show notes|footnotes|notes|corrections?|errata|(?:\d+ )?comments(?: \(\d+\))?|subscribe|share|upcoming events?"
    r"|more on this (?:story|topic|subject)|read (?:more|next)|most (?:read|viewed|popular)|(?:media |press )?contacts?"
    r"|forward[- ]looking statements?|safe harbou?r(?: statement)?"
    r"|see also|elsewhere (?:from|on) .{0,30}"
    r"|newsletters?)\W*)$",
    _I,
)
FIRST_PERSON = re.compile(r"\b(?:I|I['’]m|I['’]ve|I['’]d|I['’]ll|me|my|myself)\b")
# How people talk about themselves: "I think", "you know".
MUSING = re.compile(
    r"(?:I|we|you)(?:['’](?:m|ve|d|re|ll))?\s(?:\w+ly\s|just\s|also\s|do\s|don['’]t\s|really\s)?(?:think|mean|guess|know|feel"
    r"|wonder|suppose|see|say|saying|remember|love|like|wondering|curious|happy|glad|agree)\b",
    _I,
)
# A question as transcripts have it, without its mark.
UNMARKED_QUESTION = re.compile(
    r"(?:can|could|do|did|would|will|shall|should|is|are|was|were) (?:you|we|I|they|he|she|it)\b", _I
)
PERSONAL = re.compile(r"\b(?:I|we|us|our|my|me|you|your)\b|n['’]t we\b", _I)
SECOND_PERSON = re.compile(r"\b(?:you|your|you['’]re|yours)\b", _I)


_OWN_WORDS = re.compile(r"\b(?:I|me|[Mm]y(?:self)?|[Ww]e|us|[Oo]urs?|ourselves)\b")
_QUOTED = re.compile(r"“[^“”]*”|\"[^\"]*\"")
STOP = re.compile(r"[.!?…。！？][”\"'’»)\]*†‡]*$")


def opens_quotation(text: str) -> bool:
    """Whether a quotation begins in the text and goes on after it."""
    return (text.count("“") == text.count("”") + 1 and text.rfind("“") > text.rfind("”")) or (
        text.count('"') % 2 == 1 and bool(re.search(r'(?:^|[\s(])"\S[^"]*$', text))
    )


def says_i(text: str) -> bool:
    """Whether somebody speaks of himself in it, or for a group: "I" or "we", outside quotation marks."""
    return _OWN_WORDS.search(_QUOTED.sub("", text)) is not None


def is_cut_off(text: str) -> bool:
    """Whether brackets or quotation marks lack a partner; of a quotation that only goes on, the end may be lacking."""
    if any(text.count(a) != text.count(b) for a, b in ("()", "[]")):
        return True
    return not opens_quotation(text) and (text.count("“") != text.count("”") or text.count('"') % 2 == 1)


def is_directive(text: str) -> bool:
    """Whether the sentence tells somebody to do something, by a modal verb, a recommendation or an imperative."""
    text = without_connective(without_label(text))
    if text.endswith("?") or any(no.search(text) for no in (_RHETORICAL, _POLLED, _NOT_SAID)):
        return False
    if IMPERATIVE.match(text):
        return not _NOT_IMPERATIVE.match(text)
    text = _NEEDED_FOR.sub("", text)
    return bool(DIRECTIVE.search(text) or RECOMMENDS.search(text))


def without_connective(text: str) -> str:
    """The sentence without its leading connectives, its first letter in upper case."""
    for _ in range(2):
        if match := CONNECTIVE.match(text):
            text = text[match.end() :]
    return text[:1].upper() + text[1:]


def without_label(text: str) -> str:
    """The sentence without a label at its head, as in "Actionable insight: Begin with one task."."""
    return _LABEL.sub("", text, count=1) if _LABEL.match(text) else text


def matcher(match: tuple[str, ...]) -> re.Pattern[str]:
    """Where a text holds one of these words, or one that begins so: "we show" is in "We also showed"."""
    words = (_ADVERB.join(map(re.escape, one.split(" "))) for one in match)
    return re.compile(r"(?<!\w)(?:" + "|".join(words) + r")", re.IGNORECASE)
