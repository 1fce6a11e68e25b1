"""Briefs in another language: what is asked, what can be checked across languages, and what a brief says was not."""

import json
from pathlib import Path

import pytest
from command_line import CHAT, Said, Stand

from localsum.brief import Brief, from_dict, to_dict
from localsum.document import Block, Document
from localsum.engine.scripted import ScriptedEngine
from localsum.errors import UsageError
from localsum.grounding import Source, check
from localsum.languages import Language, find_language
from localsum.pipeline import write_briefs
from localsum.readers import read_path
from localsum.summarizer import Summarizer
from localsum.templates import load_template
from localsum.writing.answers import foreign
from localsum.writing.tongue import in_language, is_other

NEWS = Path(__file__).parent / "data/articles/news.md"

# The look-up


@pytest.mark.parametrize(
    ("said", "tag", "name"),
    [
        ("de", "de", "German"),
        ("German", "de", "German"),
        (" gErMaN ", "de", "German"),
        ("de-at", "de-AT", "German"),
        ("pt_BR", "pt-BR", "Brazilian Portuguese"),
        ("pt-PT", "pt-PT", "Portuguese"),
        ("zh-hant", "zh-Hant", "Traditional Chinese"),
        ("zh-TW", "zh-TW", "Traditional Chinese"),
        ("zh-Hant-HK", "zh-Hant-HK", "Traditional Chinese"),
        ("zh-CN", "zh-CN", "Chinese"),
        ("traditional chinese", "zh-Hant", "Traditional Chinese"),
        ("sr-latn-rs", "sr-Latn-RS", "Serbian"),
    ],
)
def test_a_language_has_a_code_and_a_name(said: str, tag: str, name: str) -> None:
    found = find_language(said)
    assert (found.tag, found.name) == (tag, name)
    assert found.code == tag.split("-")[0]
    assert found.wish


@pytest.mark.parametrize("said", ["Klingon", "", "xx", "d", "de\x1b[31m", "de-" + "x" * 90, "de-", "germa n"])
def test_what_is_no_language_is_refused(said: str) -> None:
    with pytest.raises(UsageError) as caught:
        find_language(said)
    assert "--language de" in caught.value.hint
    assert "\x1b" not in caught.value.message


def test_letters_of_the_language_are_allowed_in_an_answer() -> None:
    assert r"\p{Cyrillic}" in foreign("A text.")
    assert r"\p{Cyrillic}" not in foreign("A text.", find_language("Russian"))
    assert r"\p{Cyrillic}" in foreign("A text.", find_language("German"))
    japanese = foreign("A text.", find_language("ja"))
    assert r"\p{Han}" not in japanese
    assert r"\p{Hiragana}" not in japanese


def test_everything_that_is_written_is_asked_for_in_the_language() -> None:
    german = in_language(load_template("brief"), find_language("de"))
    assert "German" in german.instruction
    for each, old in zip(german.fields, load_template("brief").fields, strict=True):
        if each.of == "quote":
            assert each == old
            continue
        assert each.ask == f"{old.ask}\nAntworte auf Deutsch."
        assert all(ask.endswith("\nAntworte auf Deutsch.") for ask in each.also)
        for part in each.parts:
            assert ("Deutsch" in part.ask) == bool(part.ask and part.shape != "choice")


# Across languages

TEXT = (
    "Norvik Ferries ordered nine ships from the Hadal yard on Monday. They cost $1.24 billion and are to sail in 2031. "
    "Each ship carries 1,450 passengers, 3.5 percent more than before. Marta Quist, the chief of the yard, said at 3 "
    'pm that "the first hull will be laid in eleven weeks". The order is worth 240 jobs in the town.'
)


def source(across: str) -> Source:
    made = Source.of(Document(TEXT, (Block(0, len(TEXT)),)))
    made.across = across
    return made


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("de", "Norvik Ferries bestellt Schiffe für 1,24 Milliarden Dollar."),
        ("de", "Jedes Schiff fasst 1.450 Fahrgäste, 3,5 Prozent mehr als bisher."),
        ("fr", "Chaque navire transporte 1 450 passagers, soit 3,5 % de plus."),
        ("fr", "Les navires doivent naviguer en 2031."),
        ("es", "El pedido supone 240 empleos y cuesta 1240 millones de dólares."),
        ("de", "Die Chefin sprach um 15 Uhr von elf Wochen."),
        ("es", "Cuestan 1,24 mil millones de dólares."),
        ("sv", "De kostar 1,24 miljarder dollar."),
        ("ru", "Они стоят 1,24 миллиарда долларов."),
        ("zh", "九艘船的价格为12.4亿美元，每艘载客1450人。"),
        ("vi", "Giá là 1,24 tỷ đô la."),
    ],
)
def test_what_the_numbers_bear_out_is_partial_at_best(language: str, text: str) -> None:
    found = check(text, source(language))
    assert found.verdict == "partial", found
    assert found.reasons[-1].startswith("in another language than the source: only numbers")


@pytest.mark.parametrize(
    ("language", "text", "number"),
    [
        ("de", "Die Schiffe kosten 1,42 Milliarden Dollar.", "1,42"),
        ("de", "Jedes Schiff fasst 1.540 Fahrgäste.", "1.540"),
        ("fr", "Les navires doivent naviguer en 2032.", "2032"),
        ("de", "Jedes Schiff fasst 3,6 Prozent mehr.", "3,6"),
        ("fr", "Chaque navire transporte 1 540 passagers.", "1 540"),
        ("de", "Die Schiffe kosten 1,24 Millionen Dollar.", "1,24"),
        ("zh", "九艘船的价格为12.4万美元。", "12.4"),
        ("ja", "各船は1540人を運ぶ。", "1540"),
        ("pt", "Custam 1,24 milhões de dólares.", "1,24"),
    ],
)
def test_a_number_that_the_source_lacks_is_found(language: str, text: str, number: str) -> None:
    found = check(text, source(language))
    assert found.verdict == "unsupported"
    assert f"number not in source: {number}" in found.reasons


def test_names_are_told_where_nouns_have_no_capitals() -> None:
    found = check("La cheffe Marta Quist et Jean Dupont ont parlé lundi.", source("fr"))
    assert found.verdict == "partial"
    assert [reason for reason in found.reasons if "name" in reason] == [
        "name not in the source as it is spelled here: Jean Dupont",
        "in another language than the source: only numbers and names were checked",
    ]
    german = check("Die Chefin Marta Quist und der Reeder Jean Dupont sprachen.", source("de"))
    assert german.reasons == ("in another language than the source: only numbers were checked",)


def test_evidence_is_where_the_same_numbers_and_names_stand() -> None:
    found = check("Marta Quist sprach über die Schiffe.", source("de"))
    assert [TEXT[start:end][:11] for start, end in found.evidence] == ["Marta Quist"]
    found = check("Der Auftrag bringt 240 Stellen.", source("de"))
    assert [TEXT[start:end][:9] for start, end in found.evidence] == ["The order"]
    assert check("Der Auftrag ist gut.", source("de")).evidence == ()


def test_what_is_word_for_word_in_the_source_is_supported_all_the_same() -> None:
    assert check("The order is worth 240 jobs in the town.", source("de")).verdict == "supported"


def test_a_translated_quotation_is_none() -> None:
    found = check(
        "Sie sagte, „der erste Rumpf wird gelegt“, und „“ meint „x“.".replace("„", "“").replace("“,", "”,"),
        source("de"),
    )
    assert found.verdict == "unsupported"
    assert found.reasons[0].startswith("quotation not in source")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The yard said that nine ships are to sail in 2031, and that each carries more than before.", False),
        ("Nine ships were ordered on Monday for the town.", False),
        ("Die Werft teilte am Montag mit, dass neun Schiffe bestellt wurden und im Jahr 2031 fahren sollen.", True),
        ("Le chantier a déclaré lundi que neuf navires ont été commandés pour la ville.", True),
        ("Il cantiere ha detto che le navi costano molto e che il primo scafo sarà posato.", True),
    ],
)
def test_another_language_is_told_by_its_small_words(text: str, expected: bool) -> None:
    assert is_other(text, source("")) is expected


# Briefs

NINE = "Die Gesellschaft betreibt 22 Fähren auf neun Strecken."
GERMAN = {
    "0.title": "Fährgesellschaft prüft 22 Schiffe mit neuen Rechnern",
    "0.summary": f"{NINE} Sie befördert 6,4 Millionen Fahrgäste im Jahr.",
    "0.summary~1": f"{NINE} Jeder Rechner kostet 3.100 Pfund und braucht 140 Watt.",
    "0.summary~2": "Die Gesellschaft betreibt 99 Fähren auf neun Strecken. Jeder Rechner kostet 7.777 Pfund.",
}
"""The source has 22 ferries, 6.4 million passengers, £3,100 and 140 watts, and neither 99 nor 7,777."""


def brief_in(language: Language | None, script: dict[str, str], template: str = "headline") -> Brief:
    engine = ScriptedEngine(script, chat_template=CHAT)
    model = {"name": "scripted", "sha256": "00"}
    (done,) = write_briefs([read_path(NEWS)], load_template(template), engine, model=model, language=language)
    assert isinstance(done, Brief), done
    return done


def test_a_brief_in_another_language_says_what_was_not_checked() -> None:
    done = brief_in(find_language("de"), GERMAN)
    assert done.language == "de"
    assert done["title"] == GERMAN["0.title"]
    assert done["summary"] in (GERMAN["0.summary"], GERMAN["0.summary~1"])
    for each in done.fields.values():
        assert each.mode == "written"
        assert each.grounding is not None
        assert each.grounding.verdict == "partial"
        assert "in another language than the source" in each.grounding.reasons[-1]
        assert each.warnings == ()
    data = json.loads(json.dumps(to_dict(done)))
    assert data["language"] == "de"
    assert from_dict(data, done.document).language == "de"
    del data["language"]  # as an older version kept it
    assert from_dict(data, done.document).language is None


@pytest.mark.parametrize(
    ("language", "title", "summary"),
    [
        (
            "ja",
            "フェリー会社が22隻で計画を自分で作る",
            "同社は9路線で22隻のフェリーを運航している。年間640万人の乗客を運ぶ。",
        ),
        ("zh", "渡轮公司让22艘船自己编排时刻表", "该公司在九条航线上运营22艘渡轮。每台计算机价格为3100英镑。"),
        (
            "ru",
            "Паромная компания ставит модель на 22 судна",
            "Компания управляет 22 паромами на девяти линиях. Она перевозит 6,4 миллиона человек.",
        ),
        (
            "ar",
            "شركة عبارات تضع نموذجا على متن 22 سفينة",
            "تشغل الشركة 22 عبارة على تسعة خطوط. يبلغ سعر كل حاسوب 3100 جنيه.",
        ),
    ],
)
def test_other_scripts_arrive(language: str, title: str, summary: str) -> None:
    script = {"0.title": title, **{f"0.summary{n}": summary for n in ("", "~1", "~2")}}
    done = brief_in(find_language(language), script)
    assert (done["title"], done["summary"]) == (title, summary), done.warnings
    assert {each.grounding.verdict for each in done.fields.values()} == {"partial"}


def test_without_a_language_the_same_answers_are_refused() -> None:
    done = brief_in(None, GERMAN)
    assert done.language is None
    assert done["summary"] not in GERMAN.values()


def test_what_the_numbers_refuse_is_shown_in_the_sources_words_and_that_is_said() -> None:
    wrong = {name: GERMAN["0.summary~2"] for name in GERMAN if "summary" in name}
    done = brief_in(find_language("de"), {**GERMAN, **wrong, "again.summary": GERMAN["0.summary~2"]})
    assert "99" not in str(done["summary"])
    assert done.fields["summary"].mode == "extractive"
    assert any("in the source's own words, not in German" in each for each in done.warnings)
    assert "number not in source: 99" in " ".join(done.warnings)


def test_a_model_that_goes_on_in_the_sources_language_is_found_out() -> None:
    english = {
        "0.title": "The company operates 22 ferries on nine routes",
        "0.summary": "The company operates 22 ferries on nine routes and carries 6.4 million passengers a year.",
    }
    done = brief_in(find_language("de"), english)
    assert "summary: in the source's language, not in German" in done.warnings
    assert done.fields["summary"].grounding.verdict == "supported"
    done = brief_in(find_language("en"), english)
    assert not [each for each in done.warnings if "language" in each]


def test_of_answers_in_two_languages_those_in_the_wanted_one_are_taken() -> None:
    english = "The company operates 22 ferries on nine routes and carries 6.4 million passengers a year."
    done = brief_in(find_language("de"), {**GERMAN, "0.summary": english, "0.summary~2": english})
    assert done["summary"] == GERMAN["0.summary~1"]
    assert done.fields["summary"].warnings == ()


def test_in_the_sources_language_all_is_checked_whatever_the_answers_are() -> None:
    done = brief_in(find_language("en"), GERMAN)
    assert done["summary"] not in GERMAN.values()
    assert not [each for each in done.fields.values() if each.grounding and each.grounding.verdict == "partial"]


def test_quotes_stay_in_the_sources_language() -> None:
    done = brief_in(find_language("de"), GERMAN, "brief")
    assert done["quotes"]
    for quote in done["quotes"]:
        assert done.document.text[quote.start : quote.end] == quote.text
    assert not [each for each in done.warnings if each.startswith("quotes: ") and "German" in each]


@pytest.mark.parametrize(("chat", "style"), [(None, None), (CHAT, "extractive")])
def test_what_is_taken_from_the_article_is_not_translated(chat: str | None, style: str | None) -> None:
    engine = ScriptedEngine({}, chat_template=chat)
    found = write_briefs(
        [read_path(NEWS)], load_template(), engine, model={}, style=style, language=find_language("de")
    )
    with pytest.raises(UsageError, match="nothing is written, so nothing in German"):
        next(found)


def test_a_summarizer_writes_in_a_language() -> None:
    with Summarizer(
        template="headline", language="German", engine=ScriptedEngine(GERMAN, chat_template=CHAT)
    ) as writer:
        assert writer.brief(read_path(NEWS)).language == "de"
    with pytest.raises(UsageError):
        Summarizer(language="Klingon")


def test_a_brief_in_another_language_is_another_brief(said: Said, stand: type[Stand], tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(stand, "chat", CHAT)
    store = ("--store", str(tmp_path / "kept.sqlite3"), "--quiet", "--format", "json")

    def language(*options: str) -> str | None:
        code, out, _ = said("brief", str(NEWS), "-t", "headline", *store, *options)
        assert code == 0
        return json.loads(out)["language"]

    assert language() is None
    assert language("--language", "German") == "de"
    assert language("-l", "fr") == "fr"
    # The shortlist is of the tokens that the source's language needs.
    assert [engine.options["shortlist"] for engine in stand.made] == [True, False, False]
    assert len(stand.made) == 3
    assert language("--language", "de") == "de"
    assert language() is None
    assert len(stand.made) == 3, "kept, and written again"


def test_the_page_of_a_brief_says_its_language(said: Said, stand: type[Stand], monkeypatch) -> None:
    monkeypatch.setattr(stand, "chat", CHAT)
    code, out, _ = said("brief", str(NEWS), "-t", "headline", "--language", "de", "--format", "html", "--quiet")
    assert code == 0
    assert '<main class="column" id="brief" aria-label="Brief" tabindex="0" lang="de">' in out
    assert '<article id="text" lang="de"' not in out
