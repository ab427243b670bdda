"""What repeats what."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rerank_core.text.duplicates import repeats

PASSAGE = [f"word{number}" for number in range(100)]


def without(*places: int) -> str:
    """The passage with other words there."""
    return " ".join(f"other{n}" if n in places else word for n, word in enumerate(PASSAGE))


def test_the_same_words_are_the_same_text() -> None:
    """Whatever their case, spaces and punctuation, in any script."""
    assert repeats(["Tea, hot!", "tea\n hot"]) == [None, 0]
    assert repeats(["東京都に行く", "東京都に行く。"]) == [None, 0]
    assert repeats(["—", "— ", "…"]) == [None, 0, None]
    assert repeats([]) == []


def test_a_word_in_a_hundred_may_differ() -> None:
    """Ten may not, and neither may a half that is missing."""
    assert repeats([without(), without(50)]) == [None, 0]
    assert repeats([without(), without(*range(0, 100, 10))]) == [None, None]
    assert repeats([without(), " ".join(PASSAGE[:50])]) == [None, None]


def test_a_short_text_with_another_word_is_another_text() -> None:
    """The version, the year or the name is all that tells them apart."""
    assert repeats(
        ["How to install Python 3.11 on Linux", "How to install Python 3.12 on Linux"]
    ) == [None, None]


def test_what_repeats_a_repeat_repeats_the_first() -> None:
    """Chains have one beginning."""
    assert repeats([without(), without(1), without(2), without()]) == [None, 0, 0, 0]


def test_a_frame_around_every_text_is_no_repeat() -> None:
    """Menus and footers that pages share, where each says something else; nor is it slow."""
    frame = " ".join(f"menu{n}" for n in range(30))
    pages = [f"{frame} {' '.join(f'page{p}says{n}' for n in range(30))}" for p in range(60)]

    assert repeats(pages) == [None] * 60
    assert repeats([*pages, pages[7].upper()])[-1] == 7


def test_a_long_text_is_known_by_its_ends() -> None:
    """And by its length: what begins and ends alike but is twice as long is another text."""
    long, end = " ".join(f"w{n}" for n in range(20_000)), "the end " * 5_000

    assert repeats([long, long + "!", long + " more"]) == [None, 0, 0]
    assert repeats([long, long.replace("w19999", "another end"), end + long]) == [None, 0, None]
    assert repeats([long + end, long + long + end]) == [None, None]


def test_whoever_stops_it_is_told_of_no_repeat_that_was_not_found() -> None:
    """At any moment."""
    texts = [without()] * 4
    for patience in range(10):
        asked = iter(range(100))
        found = repeats(texts, stop=lambda asked=asked, most=patience: next(asked) >= most)
        assert found[0] is None
        assert set(found) <= {None, 0}


@given(st.lists(st.sampled_from("abc"), max_size=9).map(" ".join), st.data())
def test_no_pair_is_missed(one: str, data: st.DataObject) -> None:
    """What is looked at first only saves work: the first one that is nearly the same is found."""
    texts = data.draw(st.lists(st.lists(st.sampled_from("abc"), max_size=9).map(" ".join)))

    def runs(text: str) -> set[tuple[str, ...]]:
        told = text.split() or [""]
        return {tuple(told[at : at + 3]) for at in range(max(1, len(told) - 2))}

    firsts: list[int] = []
    for position, found in enumerate(repeats(texts := [one, *texts])):
        mine = runs(texts[position])
        alike = [
            first
            for first in firsts
            if len(mine & runs(texts[first])) >= 0.8 * len(mine | runs(texts[first]))
        ]
        assert found == (alike[0] if alike else None)
        if found is None:
            firsts.append(position)


@given(st.lists(st.text(max_size=40), max_size=12))
def test_each_points_to_an_earlier_first(texts: list[str]) -> None:
    """And equal texts are always found."""
    found = repeats(texts)

    assert len(found) == len(texts)
    for position, first in enumerate(found):
        if first is not None:
            assert first < position
            assert found[first] is None
        assert first is not None or texts[position] not in texts[:position]
