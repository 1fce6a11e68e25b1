"""The desk on which a brief is put together from a document's own sentences: a draft of each field, and what to ask.

The model writes what is short and can be checked against a few sentences (titles, headings) and chooses (categories,
quotes); whatever the gate refuses falls back on the document's own words.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import cached_property

from localsum.document import Document
from localsum.engine import grammar
from localsum.grounding import Source, check
from localsum.templates import Field, Template
from localsum.writing import cues, headline, people, quoting, select, title
from localsum.writing.answers import main_part
from localsum.writing.choice import closest
from localsum.writing.directives import directives
from localsum.writing.draft import Ask, Draft, Entry
from localsum.writing.figures import figures
from localsum.writing.gate import refuse
from localsum.writing.matching import matching
from localsum.writing.material import POINTS_BACK, Material, Sentence, gather, stories
from localsum.writing.select import Insight, Pick
from localsum.writing.shelf import Shelf
from localsum.writing.topics import Topic, topics
from localsum.writing.turns import is_conversation
from localsum.writing.wording import fluent

_CHARS_PER_WORD = 16  # a loose fuse: what is too long is cut at a clause, a line cut off by the grammar is lost
_SHARE_OF_WORDS = 0.85  # of a text's limit that whole sentences are chosen for: 55 of 65 words agreed best with people
LEAST_BODY = 12  # words; of a section
_LEAST_TITLE = 4  # words of a story's heading
_LEAST_SHARED = 0.9  # share of the content words of a line that one sentence must have: of up to nine words, all
WORDS_PER_POINT = 160
# Extracts that are left empty where the source has nothing of the kind: what is said then, and if it was said above.
_STRICT = {
    "matching": ("the source says nothing of it", "what the source says of it"),
    "tasks": ("the source gives nobody anything to do", "what there is to do"),
    "directives": ("the source recommends no action", "what the source recommends"),
}


class Desk:
    """Everything one document's brief is put together from. Each `_…` method fills the draft of one kind of field."""

    def __init__(self, document: Document, template: Template, count_tokens: Callable[[str], int]) -> None:
        self.material: Material = gather(document)
        self.template = template
        self.shelf = Shelf()
        self.drafts = {each.name: Draft() for each in template.fields}
        self.asks: list[Ask] = []
        self._headings: list[str] = []  # all that may become headings so far, so that none is offered twice
        self.examples = [
            text for example in template.examples for text in (example.text, *dict(example.answers).values())
        ]
        self._count = count_tokens
        most = max((each.count[1] for each in template.fields if each.extract == "topics"), default=6)
        self.topics = topics(self.material, most)

    @cached_property
    def source(self) -> Source:
        return Source.of(self.material.document)

    def fill(self) -> None:
        """Choose for every field; those that take the best sentences first."""
        order = [
            "central",
            "matching",
            "tasks",
            "directives",
            "closing",
            "insights",
            "topics",
            "quotes",
            "figures",
            "speakers",
            "headline",
        ]
        for each in sorted(self.template.fields, key=lambda each: order.index(each.extract)):
            draft = self.drafts[each.name]
            if each.shape == "quote" or each.of == "quote":
                self.asks += quoting.fill(each, draft, self.material, self.shelf, self._count)
            elif each.shape == "line":
                self._line(each, draft)
            elif each.shape == "choice":
                entry = Entry()
                draft.entries.append(entry)
                self._choice(each, each.name, entry, self._lead(), each.name)
            elif each.extract == "topics":
                self._topics(each, draft)
            elif each.shape == "numbers":
                self._figures(each, draft)
            elif each.extract == "speakers":
                self._speakers(each, draft)
            elif each.extract in _STRICT:
                self._strict(each, draft)
            elif each.shape == "text":
                self._text(each, draft)
            else:
                self._records(each, draft, self._insights(each))

    # What only some sentences may serve for: others would be worse than nothing

    def _strict(self, each: Field, draft: Draft) -> None:
        found = self._served(each, self.shelf)
        if each.shape != "text":
            self._records(each, draft, found)
        elif found:
            chosen = [s for insight in found for s in insight.pick.sentences]
            self._add(draft, each.name, select.pick_of(chosen))
        if not draft.entries:
            is_said = bool(self._served(each, Shelf()))
            none, what = _STRICT[each.extract]
            draft.missing.append(f"{what} is said above" if is_said else none)

    def _served(self, each: Field, shelf: Shelf) -> list[Insight]:
        most = each.sentences[1] if each.shape == "text" else each.count[1]
        words, impact_words = main_part(each).words, _part_words(each, "consequence")
        if each.extract == "matching":
            others = [o.match for o in self.template.fields if o.extract == "matching" and o is not each]
            return matching(
                self.material,
                shelf,
                match=each.match,
                others=others,
                most=most,
                words=words,
                impact_words=impact_words,
            )
        chooser = people.tasks if each.extract == "tasks" else directives
        found = chooser(self.material, shelf, most=most, words=words, impact_words=impact_words)
        if each.extract == "directives" and len(found) < most and is_conversation(self.material.document):
            # What people agree to do is what there is to do after a meeting.
            rest = most - len(found)
            found += people.tasks(self.material, shelf, most=rest, words=words, impact_words=impact_words)
            found.sort(key=lambda insight: insight.pick.evidence[0].start)
        return found

    def _speakers(self, each: Field, draft: Draft) -> None:
        named, others = people.speakers(self.material, each.count[1])
        draft.entries += [Entry({"text": name}, [place]) for name, place in named]
        if others:
            draft.missing.append(f"{others} more {'speaks' if others == 1 else 'speak'}, and less")
        elif not named:
            draft.missing.append("the source names no speakers")

    def _figures(self, each: Field, draft: Draft) -> None:
        draft.figures += figures(self.material, most=each.count[1], words=each.words)
        if not draft.figures:
            draft.missing.append("the source states no figure that matters")

    # Texts and lists of records

    def _text(self, each: Field, draft: Draft) -> None:
        if each.extract == "closing" and self.material.stories:
            draft.missing.append("several stories in one have no end in common")
            return
        chooser = select.closing if each.extract == "closing" else select.central
        most = each.sentences[1]
        if any(other.shape not in ("line", "choice") for other in self.template.fields if other is not each):
            most = min(most, max(1, sum(s.is_usable for s in self.material.sentences) // 4))  # leave some to the others
        words = round(_SHARE_OF_WORDS * each.words)
        pick = chooser(self.material, self.shelf, most=most, words=words, at_most=each.words)
        if not pick.text:
            pick = self._at_least_one(each.words)
        self._add(draft, each.name, select.named(pick, each.words))

    def _at_least_one(self, words: int) -> Pick:
        """For the shortest of sources: the best sentence, though another part has it too."""
        pool = sorted(self.material.sentences, key=lambda s: (s.words > words, -self.material.salience(s)))
        pick = select.pick_of(pool[:1])
        parts = pick.text.split()
        return pick if len(parts) <= words else replace(pick, text=" ".join(parts[:words]) + " …")

    def _add(self, draft: Draft, name: str, pick: Pick) -> Entry:
        entry = Entry({name: pick.text}, list(pick.evidence))
        draft.entries.append(entry)
        return entry

    def _insights(self, each: Field) -> list[Insight]:
        words = sum(s.words for s in self.material.sentences)
        most = 1 if each.shape == "record" else min(each.count[1], max(each.count[0], round(words / WORDS_PER_POINT)))
        return select.insights(
            self.material,
            self.topics,
            self.shelf,
            least=min(most, each.count[0]),
            most=most,
            words=main_part(each).words,
            impact_words=_part_words(each, "consequence"),
            match=each.match,
        )

    def _records(self, each: Field, draft: Draft, found: list[Insight]) -> None:
        if not found and each.count[0] > 0 and each.extract not in _STRICT and self.material.sentences:
            found = [Insight(self._at_least_one(main_part(each).words), None)]
            draft.missing.append("the source is too short for points of its own")
        for number, insight in enumerate(found):
            entry = Entry()
            draft.entries.append(entry)
            # Of a task or a decision it is told elsewhere whose it is.
            pick = (
                select.named(insight.pick, main_part(each).words)
                if each.extract in ("insights", "directives")
                else insight.pick
            )
            entry.evidence += pick.evidence
            for part in each.parts or (each,):
                if part.shape == "choice":
                    self._choice(part, part.name, entry, insight.pick.sentences, f"{each.name}.{number}.{part.name}")
                elif part.extract == "consequence":
                    entry.parts[part.name] = insight.impact.text if insight.impact else ""
                    entry.evidence += insight.impact.evidence if insight.impact else ()
                elif part.extract == "owner":
                    who = (people.owner(self.material, sentence) for sentence in insight.pick.sentences)
                    entry.parts[part.name] = next(filter(None, who), "")
                elif part.shape == "line":
                    entry.parts[part.name if each.parts else "text"] = headline.clause(insight.pick.text, part.words)
                else:
                    entry.parts[part.name if each.parts else "text"] = pick.text

    def _topics(self, each: Field, draft: Draft) -> None:
        line = next((part for part in each.parts if part.shape == "line"), None)
        text = next((part for part in each.parts if part.shape == "text"), each)
        for number, (topic, pick) in enumerate(self._topic_picks(text, each.count[0])):
            entry = self._add(draft, text.name if each.parts else "text", select.named(pick, text.words))
            if line:
                entry.parts = {line.name: "", **entry.parts}
                own = headline.without_number(self.material.text(topic.heading)) if topic.heading else ""
                seen = [self.material.document.title, *(other.parts[line.name] for other in draft.entries[:-1])]
                if len(own.split()) <= line.words and headline.is_telling(own) and own not in seen:
                    entry.parts[line.name] = own
                else:
                    self._heading(line, entry, pick, topic, f"{each.name}.{number}.{line.name}")
        if not draft.entries:
            draft.missing.append("the source is too short to have any beside what is said above")

    def _topic_picks(self, text: Field, least: int) -> list[tuple[Topic, Pick]]:
        """What is said about each topic that has enough of its own to say, beside the summary and the points."""
        picks = []
        greeting = self.material.stories[0][0] if self.material.stories else 0  # it ends where the first story begins
        for topic in self.topics:
            if topic.last <= greeting:
                continue
            is_joined = topic.under not in (None, (topic.first, topic.last))
            own = Topic(*topic.under, topic.heading) if topic.under and is_joined else topic
            pick = self._about(own, text)
            if is_joined and len(pick.text.split()) < LEAST_BODY:  # what joined it has more to say
                own, pick = replace(topic, heading=None), self._about(topic, text)
            picks.append((own, pick))
        telling = [(topic, pick) for topic, pick in picks if len(pick.text.split()) >= LEAST_BODY]
        alone = [(topic, pick) for topic, pick in telling if pick.sentences[0].standing > POINTS_BACK]
        if len(alone) >= least:
            return alone
        return telling

    def _about(self, topic: Topic, text: Field) -> Pick:
        size = topic.last - topic.first
        most = min(text.sentences[1], 3 if size > 6 else 2 if size > 3 else 1)
        return select.about(topic, self.material, self.shelf, most=most, words=text.words)

    # What the model writes or chooses

    def _line(self, each: Field, draft: Draft) -> None:
        """A title: the document's own, or of several stories the first one's; else the model's if it passes the gate,
        else a clause of the best sentence."""
        lead = self._lead()
        entry = Entry({each.name: ""}, [s.span for s in lead[:1]])
        draft.entries.append(entry)
        own = headline.own_title(self.material.document.title or "", self.material.document.text, each.words)
        if own:
            entry.parts[each.name] = own
            entry.own_title, entry.evidence = True, []
            return
        for story in stories(self.material.document):
            line = headline.without_number(self.material.text(story.heading))
            if _LEAST_TITLE <= len(line.split()) <= each.words and headline.is_telling(line) and "?" not in line:
                entry.parts[each.name], entry.evidence = line, [story.heading]
                return
        lines = title.clauses(self.material, each.words)
        best = max(self.material.sentences, key=self.material.salience, default=None)
        entry.parts[each.name] = headline.clause(best.text, each.words) if best else ""

        def choose() -> None:
            if chosen := title.best(lines, self.material):
                entry.parts[each.name] = chosen.text
                entry.written, entry.evidence = chosen.by_model, [chosen.sentence.span]

        choose()
        first = [s for s in self.material.sentences if s.is_usable][:3]
        groups = (lead, first, *((one,) for one in lead))
        texts = [" ".join(fluent(s.text) for s in group) for group in groups]
        sources = (*lead, *first)

        def use(answer: str) -> None:
            line = headline.clause(answer, each.words, is_last_resort=False)
            if not title.stands(line) or check(line, self.source).verdict == "unsupported":
                return
            if sentence := self._support(line, each, sources):
                lines.append(title.Line(line, sentence, by_model=True))
                choose()

        if each.cue and self.template.examples:
            rule = grammar.line(each.words * _CHARS_PER_WORD)
            for number, text in enumerate(dict.fromkeys(texts)):
                name = f"{each.name}~{number}" if number else each.name
                self.asks.append(Ask(name, each, text, rule, 4 * each.words, use))

    def _support(self, line: str, part: Field, sources: Iterable[Sentence]) -> Sentence | None:
        """The sentence against which a line of the model passes the gate, if there is one.

        One must suffice: of the words of several, small models make claims that none of them makes.
        """
        for sentence in dict.fromkeys(sources):
            text, most = fluent(sentence.text), part.words
            refused = refuse(line, text, least_shared=_LEAST_SHARED, most_words=most, examples=self.examples)
            if not (refused or title.joins_far_apart(line, text) or title.loses_its_head(line, text)):
                return sentence
        return None

    def _lead(self) -> tuple[Sentence, ...]:
        """What the document is about in a few sentences: the most salient three."""
        best = sorted(self.material.sentences, key=lambda s: -self.material.salience(s))[:3]
        return tuple(sorted(best, key=lambda s: s.index))

    def _heading(self, part: Field, entry: Entry, pick: Pick, topic: Topic, name: str) -> None:
        """A phrase or a short clause of what is said about a topic; the model chooses among several."""
        shown = [cues.EXPLICIT_CONSEQUENCE.sub("", fluent(s.text)) for s in pick.sentences]
        inside = self.material.sentences[topic.first : topic.last]
        options = title.headings(self.material, inside, shown, self._headings, part.words)
        self._headings += options
        entry.parts[part.name] = options[0]
        if len(options) > 1 and part.cue:

            def use(answer: str) -> None:
                if answer.strip() in options:
                    entry.parts[part.name] = answer.strip()

            longest = max(self._count(line) for line in options)
            self.asks.append(Ask(name, part, pick.text, grammar.choice(options, "\n"), longest + 4, use))

    def _choice(self, part: Field, key: str, entry: Entry, about: Iterable[Sentence], name: str) -> None:
        """The option whose words the sentences hold most of; the model decides between those that come close."""
        about = tuple(about)
        close = closest(part.options, about, self.material)
        entry.parts[key] = close[0]
        if len(close) > 1 and part.cue:
            text = " ".join(s.text for s in about)

            def use(answer: str) -> None:
                if answer.strip() in close:
                    entry.parts[key] = answer.strip()

            longest = max(self._count(option) for option in close)
            self.asks.append(Ask(name, part, text, grammar.choice(close, "\n"), longest + 4, use))


def _part_words(each: Field, extract: str) -> int:
    return next((part.words for part in each.parts if part.extract == extract), 40)
