"""Briefs made by hand for the tests that show or check briefs: `full()` as one hopes for, `hostile()` as one fears."""

from localsum.brief import Brief, FieldResult, Figure, Grounding, Item, Quote
from localsum.document import Block, Document, Span

_PARAGRAPHS = (
    "The harbour town of Velmora switched its street cameras to models that run inside the lamp posts on Monday. "
    "The council said the change cuts its cloud bill from €410,000 to €96,000 a year.",
    "“We were paying rent on our own pictures,” said Ada Quint, who runs the town's network. "
    "Each of the 1,260 posts now holds a 9-watt board with a 270-million-parameter model.",
    "Pictures are deleted after 40 seconds. Only counts leave the post: cars, bicycles, people. "
    "The data protection office has asked for an audit by 30 June.",
    "Critics remain. “A lamp that counts today recognises tomorrow,” said Teo Marsh of the group Open Quay. "
    "He said the council must publish the model's weights before it adds any function.",
    "The council votes on the next stage, 800 more posts, in October.",
)
TEXT = "\n\n".join(_PARAGRAPHS)


def _document(text: str = TEXT, **named: str) -> Document:
    blocks, at = [], 0
    for paragraph in text.split("\n\n"):
        blocks.append(Block(at, at + len(paragraph)))
        at += len(paragraph) + 2
    return Document(text, tuple(blocks), **named)


def _span(part: str, text: str = TEXT) -> Span:
    start = text.index(part)
    return Span(start, start + len(part))


def _grounding(*evidence: str) -> Grounding:
    return Grounding("supported", tuple(_span(part) for part in evidence), ("verbatim",))


def _quote(text: str, speaker: str | None = None) -> Quote:
    return Quote(text, *_span(text), speaker)


def brief_of(*fields: FieldResult, document: Document | None = None, warnings: tuple[str, ...] = ()) -> Brief:
    return Brief(
        document=document or _document(path="lamp-posts.md", format="markdown"),
        fields={result.name: result for result in fields},
        model={"name": "gemma-3-270m", "sha256": "a5" * 32},
        template={"name": "brief", "sha256": "0c" * 32},
        timing={"read_s": 1.25, "write_s": 4.5, "written_tokens": 212.0},
        warnings=warnings,
    )


def full() -> Brief:
    """Every field of the default template; one is empty, one item is partly and one is not supported."""
    sections = (
        Item(
            {
                "heading": "Cameras that keep their pictures",
                "body": "Velmora's 1,260 lamp posts now hold a 9-watt board with a 270-million-parameter model. "
                "Pictures are deleted after 40 seconds, and only counts of cars, bicycles and people leave the post.",
            },
            _grounding("Each of the 1,260 posts", "Pictures are deleted after 40 seconds."),
        ),
        Item(
            {
                "heading": "An audit, and a vote in October",
                "body": "The data protection office has asked for an audit by 30 June. "
                "The council votes in October on 900 more posts.",
            },
            Grounding("partial", (_span("The council votes on the next stage"),), ("number not in source: 900",)),
        ),
    )
    insights = (
        Item(
            {
                "text": "Models inside the lamp posts cut the cloud bill from €410,000 to €96,000 a year.",
                "category": "Tech Economics",
                "impact": "Small towns can afford to count traffic without renting a data center.",
            },
            _grounding("The council said the change cuts its cloud bill"),
        ),
        Item(
            {
                "text": "Only counts leave the post; pictures are deleted after 40 seconds.",
                "category": "Policy & Regulation",
                "impact": "Passers-by are counted, and nobody stores their faces.",
            },
            Grounding("partial", (_span("Pictures are deleted after 40 seconds."),), ("name not in source: Passers",)),
        ),
        Item(
            {
                "text": "The town saved 77 % in its first year.",
                "category": "",
                "impact": "",
            },
            Grounding("unsupported", (), ("number not in source: 77 %", "no sentence of the source is near")),
        ),
    )
    no_action = "action_items: no recommendation passed the checks"
    return brief_of(
        FieldResult(
            "title", "Velmora moves its camera models into the lamp posts", "written", _grounding("lamp posts")
        ),
        FieldResult(
            "summary",
            "The harbour town of Velmora now runs its street cameras on models inside 1,260 lamp posts, which cuts its "
            "cloud bill from €410,000 to €96,000 a year. Pictures are deleted after 40 seconds. Critics want the "
            "model's weights published before it gains any function.",
            "extractive",
            _grounding("The harbour town of Velmora", "Pictures are deleted after 40 seconds."),
        ),
        FieldResult("sections", sections, "mixed"),
        FieldResult(
            "conclusion", "The council votes on 800 more posts in October.", "extractive", _grounding("in October.")
        ),
        FieldResult("key_insights", insights, "written", None, ("key_insights: 3 items, 4 were asked for",)),
        FieldResult("action_items", (), "empty", None, (no_action,)),
        FieldResult(
            "quotes",
            (
                _quote("We were paying rent on our own pictures,", "Ada Quint"),
                _quote("“A lamp that counts today recognises tomorrow,” said Teo Marsh of the group Open Quay."),
            ),
            "extractive",
        ),
        document=_document(
            path="lamp-posts.md",
            format="markdown",
            title="Lamp posts that think",
            author="localsum project",
            published="2026-02-03",
            url="https://example.org/velmora/lamp_posts",
        ),
        warnings=(
            "the article was read in 2 passages",
            "key_insights: 3 items, 4 were asked for",
            no_action,
        ),
    )


ESCAPES = "\x1b[31mred\x1b[0m \x1b]0;title\x07\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\ \x9b2J\x00\x07\x7f"
HTML = "<script>alert(1)</script> <https://evil.example> &lt;b&gt;"
MARKDOWN = (
    "# not *a* heading, `code`, [a link](https://evil.example), ![x](y.png) | cell | __init__ snake_case ~~gone~~"
)
OVERRIDE = "pay \u202e0001\u202c euro \u2066now\u2069"
EMOJI = "rocket 🚀, family 👨‍👩‍👧, heart ❤️, flag 🇪🇺, e\u0301"
CJK = "東京都は十一月一日から、街灯の中で動く小型モデルで交通量を数える。画像は消される。AI企業は「街灯」を公開した。"
RICH = "[bold red]not markup[/bold red] [/] :smile:"
LONG = "https://example.org/" + "a" * 120


def hostile() -> Brief:
    """Text that would like to be something else: escapes, HTML, Markdown, overrides, wide and joined characters."""
    text = " ".join((ESCAPES, HTML, MARKDOWN, OVERRIDE, EMOJI, CJK, RICH, LONG))
    whole = Grounding("partial", (Span(0, 5),), (f"name not in source: {ESCAPES}", "- `x` <b>"))
    return brief_of(
        FieldResult("title", f"{ESCAPES} {MARKDOWN} #", "written", whole),
        FieldResult("summary", f"- {HTML}\n\n1. {OVERRIDE}\n> {CJK}", "written", whole),
        FieldResult(
            "sections",
            (Item({"heading": CJK, "body": f"{RICH}\n{EMOJI}"}, whole), Item({"heading": "", "body": LONG}, whole)),
            "written",
        ),
        FieldResult("conclusion", "2024. A year\r\nthat --- ended \u2028 here", "extractive"),
        FieldResult(
            "key_insights",
            (
                Item({"text": f"* {MARKDOWN}", "category": "*Market* <b>", "impact": ESCAPES}, whole),
                Item({"text": "", "category": "", "impact": ""}, whole),
                *(
                    Item({"text": f"{CJK} {number}", "category": "市場", "impact": EMOJI}, whole)
                    for number in range(2, 11)
                ),
            ),
            "written",
        ),
        FieldResult("action_items", (Item({"text": "[ ] a task", "impact": "\ud800 lone"}, whole),), "written"),
        FieldResult("quotes", (Quote(text, 0, len(text), f"{ESCAPES}{OVERRIDE}"), Quote("", 0, 0)), "extractive"),
        document=_document(
            text,
            path="../\x1b[2Jevil_*name*.md",
            title=f"{HTML} {OVERRIDE}",
            url="https://example.org/?a=1&copy;=*b*",
        ),
        warnings=(f"- {HTML}", ESCAPES, ESCAPES),
    )


def other() -> Brief:
    """A brief of some other template: no title, records, plain lists and a single quote."""
    grounding = _grounding("Critics remain.")
    return brief_of(
        FieldResult("risk_level", "medium", "written", grounding),
        FieldResult(
            "people", tuple(Item({"text": name}, grounding) for name in ("Ada Quint", "Teo Marsh")), "extractive"
        ),
        FieldResult(
            "verdict",
            (
                Item(
                    {"claim": "The models stay small.", "category": "technology", "next_step": "Read the audit."},
                    grounding,
                ),
            ),
            "written",
        ),
        FieldResult("pull_quote", (_quote("Critics remain."),), "extractive"),
        FieldResult("tone", "", "empty", Grounding("unsupported", (), ("no option fits",))),
        FieldResult("dates", (), "empty"),
        document=_document(),
    )


def _figure(text: str, value: str, unit: str, measures: str, evidence: str) -> Figure:
    return Figure(text, *_span(text), value, unit, measures, _grounding(evidence))


def numbers() -> Brief:
    """Tables of figures: as one hopes for, with what the checks found, without a measure, and hostile."""
    doubted = Grounding("partial", (_span("Each of the 1,260 posts"),), ("name not in source: Watt",))
    hostile = " ".join((ESCAPES, HTML, MARKDOWN, EMOJI, CJK, LONG))
    return brief_of(
        FieldResult("title", "Velmora's lamp posts in numbers", "written", _grounding("lamp posts")),
        FieldResult(
            "numbers",
            (
                _figure(
                    "€410,000 to €96,000 a year",
                    "410,000 to 96,000",
                    "€ a year",
                    "the change cuts its cloud bill from …",
                    "The council said the change cuts its cloud bill",
                ),
                Figure("1,260 posts", *_span("1,260 posts"), "1,260", "posts", "hold a board of James Watt", doubted),
                _figure("9-watt", "9", "watt", "Each of the posts now holds a … board", "Each of the 1,260 posts"),
                _figure("40 seconds", "40", "seconds", "", "Pictures are deleted after 40 seconds."),
            ),
            "mixed",
            None,
            ("numbers: no phrase of the source says what is measured for 1 of 4 figures",),
        ),
        FieldResult("more_numbers", (Figure(hostile, 0, 9, "1", "€|", f"{hostile} |", doubted),), "mixed"),
        FieldResult("prices", (), "empty", None, ("prices: the source states no figure that matters",)),
        warnings=(
            "numbers: no phrase of the source says what is measured for 1 of 4 figures",
            "prices: the source states no figure that matters",
        ),
    )
