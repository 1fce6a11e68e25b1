"""Topics: joining small ones to a neighbour, as a plain way of doing it does, at any number of headings."""

from hypothesis import given
from hypothesis import strategies as st

from localsum.readers import read_bytes
from localsum.writing.material import Sentence, gather
from localsum.writing.topics import _LEAST_WORDS, Topic, _merge, topics


def plainly(sentences: tuple[Sentence, ...], found: list[Topic], most: int) -> list[Topic]:
    """The smallest, the first of equals, joins its smaller neighbour, of equal ones the one after it; over and over."""
    found = list(found)
    while len(found) > 1:
        sizes = [sum(s.words for s in sentences[topic.first : topic.last]) for topic in found]
        small = sizes.index(min(sizes))
        if len(found) <= most and sizes[small] >= _LEAST_WORDS:
            break
        beside = [i for i in (small + 1, small - 1) if 0 <= i < len(found)]
        a, b = sorted((small, min(beside, key=lambda i: sizes[i])))
        larger = found[a] if sizes[a] >= sizes[b] else found[b]
        found[a : b + 1] = [Topic(found[a].first, found[b].last, larger.heading)]
    return found


@given(st.lists(st.integers(1, 40), min_size=1, max_size=30), st.integers(1, 8))
def test_small_topics_join_their_smaller_neighbour(sizes: list[int], most: int) -> None:
    text = "\n\n".join("Word " * size + "ends." for size in sizes)
    material = gather(read_bytes(text.encode(), path="a.txt"))
    assert len(material.sentences) == len(sizes)
    found = [Topic(i, i + 1) for i in range(len(sizes))]
    joined = _merge(material, found, most)
    assert joined == plainly(material.sentences, found, most)
    assert [topic.first for topic in joined[1:]] == [topic.last for topic in joined[:-1]]


def test_every_heading_begins_where_its_sentences_do() -> None:
    part = "The council of Veldt will dig a tunnel for forty trains a day under its wide river. " * 4
    text = "# A tunnel\n\n" + "\n\n".join(f"## Part {name}\n\n{part}" for name in "ABC") + "\n\n## Nothing under it"
    material = gather(read_bytes(text.encode(), path="a.md"))
    found = topics(material, 6)
    assert [material.text(topic.heading) for topic in found if topic.heading] == ["Part A", "Part B", "Part C"]
    assert [material.sentences[topic.first].block for topic in found] == [2, 4, 6]
