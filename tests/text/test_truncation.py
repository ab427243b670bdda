"""Truncation keeps the budget, words and characters; grouping keeps the budget and the order."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rerank_core.errors import InvalidInputError
from rerank_core.text.truncation import (
    beside_query,
    estimate_tokens,
    pack,
    passages,
    truncate,
    truncate_tokens,
)

FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
FLAGS = "\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7"
#: Each is one character to a reader.
CHARACTERS = {
    "accent": "e\u0301",
    "joined emoji": FAMILY,
    "skin tone": "\U0001f44d\U0001f3fd",
    "variation selector": "☺\ufe0f",
    "flag": FLAGS[:2],
    "regional flag": "\U0001f3f4\U000e0067\U000e0062\U000e007f",
    "keycap": "1\ufe0f\u20e3",
    "Devanagari conjunct": "क\u094dष\u093f",
    "Thai vowel": "น\u0e34",
    "conjoining Hangul": "\u1112\u1161\u11ab",
    "syllable with a trailing letter": "\uac00\u11a8",
    "surrogates": "\ud83d\ude00",
    "line break": "\r\n",
}
messy = st.text(
    st.sampled_from(
        "ab 日한é\u0301\u200d\u094dक\r\n\t\u1112\u1161\u11ab\U0001f1e9\U0001f1ea"
        "\U0001f44d\U0001f3fd\ufe0f\ud83d\ude00"
    )
    | st.characters()
)


def words(text: str) -> int:
    return len(text.split())


def test_a_text_that_fits_comes_back_as_it_is() -> None:
    assert truncate("as it is ", 9) == ("as it is ", False)


def test_a_cut_falls_between_words() -> None:
    assert truncate("hello wonderful world", 17) == ("hello wonderful", True)
    assert truncate("hello wonderful world", 15) == ("hello wonderful", True)


def test_only_blanks_left_out_is_nothing_left_out() -> None:
    assert truncate("hello   \n", 6) == ("hello", False)


def test_a_word_without_end_is_cut_between_characters() -> None:
    assert truncate("x" * 1000, 300) == ("x" * 300, True)


def test_scripts_without_blanks_are_cut_anywhere() -> None:
    assert truncate("a 日本語のテキスト", 6) == ("a 日本語の", True)


@pytest.mark.parametrize("name", CHARACTERS)
def test_a_character_as_seen_goes_whole(name: str) -> None:
    character = CHARACTERS[name]
    for size in range(3, 3 + len(character)):
        kept, cut = truncate(f"xyz{character}", size)

        assert (kept, cut) == ("xyz", bool(character.strip()))


def test_flags_are_paired_from_where_their_row_begins() -> None:
    assert truncate(FLAGS, 3) == (FLAGS[:2], True)


def test_a_character_larger_than_the_budget_goes_whole() -> None:
    assert truncate(FAMILY, 4) == ("", True)


@given(messy, st.integers(0, 40))
def test_truncation_gives_a_prefix_within_the_budget(text: str, size: int) -> None:
    kept, cut = truncate(text, size)

    assert len(kept) <= size
    assert text.startswith(kept)
    assert cut == bool(text[len(kept) :].strip() and kept != text)


@given(messy, st.integers(0, 40))
def test_truncation_in_tokens_keeps_the_budget(text: str, size: int) -> None:
    for count in (None, words, len, lambda text: len(text) // 3 + text.count("a")):
        kept, cut = truncate_tokens(text, size, count)

        assert (count or estimate_tokens)(kept) <= size
        assert text.startswith(kept)
        assert cut or not text[len(kept) :].strip()


def test_truncation_in_tokens_takes_what_fits() -> None:
    text = "word " * 10_000

    assert truncate_tokens(text, 500, words) == (("word " * 500).rstrip(), True)
    assert truncate_tokens(text, 10_000, words) == (text, False)


def test_a_tokenizer_never_sees_more_of_a_text_than_the_budget_asks_for() -> None:
    seen: list[int] = []

    def count(text: str) -> int:
        seen.append(len(text))
        return len(text) // 4

    truncate_tokens("word " * 200_000, 300, count)

    assert sum(seen) < 50_000


@pytest.mark.parametrize("unit", ["word ", "x", "\u0301", "\U0001f1e9", "日", " "])
def test_tokenizing_stays_linear_in_the_text(unit: str) -> None:
    """Whatever the text is made of, and however large the budget."""

    def read(size: int) -> int:
        seen: list[int] = []

        def count(text: str) -> int:
            seen.append(len(text))
            return len(text)

        truncate_tokens(unit * size, size // 8, count)
        return sum(seen)

    assert read(100_000) <= 11 * read(10_000)


def test_a_tokenizer_that_needs_more_for_less_is_looked_at_again() -> None:
    def count(text: str) -> int:
        return 5 if len(text) == 18 else len(text) // 10

    kept, cut = truncate_tokens("a" * 100, 3, count)

    assert count(kept) <= 3
    assert cut


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("plain words only", 4),
        ("日本語", 3),
        ("привет", 3),
        ("\U0001f600", 2),
        ("12/34", 3),
    ],
)
def test_tokens_are_estimated_by_script(text: str, tokens: int) -> None:
    assert estimate_tokens(text) == tokens


def test_the_query_stays_whole_beside_documents() -> None:
    assert beside_query("a short query", 100, words) == ("a short query", 97, False)


def test_a_query_beyond_its_share_leaves_documents_theirs() -> None:
    query, left, cut = beside_query("word " * 500, 100, words)

    assert (words(query), left, cut) == (50, 50, True)


def test_groups_keep_order_budget_and_count() -> None:
    assert pack(10, [4, 4, 4, 1, 1, 1], 3) == [range(2), range(2, 5), range(5, 6)]


def test_what_is_over_the_budget_stands_alone() -> None:
    assert pack(10, [1, 99, 1, 1]) == [range(1), range(1, 2), range(2, 4)]


def test_nothing_makes_no_group() -> None:
    assert pack(10, []) == []


@given(st.lists(st.integers(0, 30)), st.integers(1, 40), st.integers(1, 6))
def test_groups_cover_every_position_once(sizes: list[int], budget: int, most: int) -> None:
    groups = pack(budget, sizes, most)

    assert [position for group in groups for position in group] == list(range(len(sizes)))
    for group in groups:
        assert 1 <= len(group) <= most
        assert len(group) == 1 or sum(sizes[position] for position in group) <= budget


@given(st.lists(st.integers(0, 30), min_size=1), st.lists(st.integers(0, 30)))
def test_more_texts_leave_full_groups_as_they_are(sizes: list[int], more: list[int]) -> None:
    before, after = pack(40, sizes, 5), pack(40, sizes + more, 5)

    assert after[: len(before) - 1] == before[:-1]


def test_passages_overlap_by_whole_words() -> None:
    text = " ".join(f"{number:05}" for number in range(30))

    pieces = passages(text, 65, 10)

    assert all(len(word) == 5 for piece in pieces for word in piece.split())
    assert [piece.split()[-2:] for piece in pieces[:-1]] == [
        piece.split()[:2] for piece in pieces[1:]
    ]


def test_a_short_text_is_one_passage_and_a_blank_one_none() -> None:
    assert passages("short", 100, 10) == ["short"]
    assert passages(" \n ", 100, 10) == []


@given(st.lists(st.characters(), unique=True), st.integers(1, 30), st.data())
def test_passages_lose_nothing_but_blanks(
    characters: list[str], size: int, data: st.DataObject
) -> None:
    """Told by texts in which no character stands twice."""
    text = "".join(characters)
    pieces = passages(text, size, data.draw(st.integers(0, size // 2)))

    assert all(0 < len(piece) <= size for piece in pieces)
    at = reached = 0
    for piece in pieces:
        at = text.index(piece, at)
        assert not text[reached:at].strip()
        reached = max(reached, at + len(piece))
    assert not text[reached:].strip()


@given(messy, st.integers(1, 30))
def test_passages_without_overlap_repeat_nothing(text: str, size: int) -> None:
    assert "".join("".join(passages(text, size)).split()) == "".join(text.split())


@pytest.mark.parametrize("unit", ["word ", "x", "\u0301", "\U0001f1e9", "日", " "])
def test_passages_hold_at_most_a_fixed_multiple_of_the_text(unit: str) -> None:
    text = (unit * 100_000)[:100_000]

    assert sum(map(len, passages(text, 400, 200))) <= 8 * len(text)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: truncate("", -1),
        lambda: truncate_tokens("", -1),
        lambda: beside_query("", -1),
        lambda: beside_query("", 10, share=1.5),
        lambda: pack(10, [], 0),
        lambda: passages("", 0),
        lambda: passages("", 10, 6),
    ],
)
def test_sizes_that_cannot_be_are_refused(wrong) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InvalidInputError, match="must be"):
        wrong()
